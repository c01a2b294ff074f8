/* What a filter in C does to a header: fold case, hash words, look them up,
 * count, and sort what it found. n times over four kilobytes. */
#include <stdint.h>

static char text[4096];
static uint32_t seen[256];

static uint32_t rotate(uint32_t x, int r) { return x << r | x >> (32 - r); }

__attribute__((export_name("hook"))) int hook(int n) {
  for (int i = 0; i < 4096; i++)
    text[i] = "Received: from mail.example.org by mx"[i % 37] + (i & 1);
  int words = 0, dots = 0;
  uint32_t h = 2166136261u;
  for (int k = 0; k < n; k++)
    for (int i = 0; i < 4096; i++) {
      char c = text[i];
      if (c >= 'A' && c <= 'Z')
        c |= 32;
      switch (c) {
      case ' ':
      case '\t':
        words++;
        seen[h & 255]++;
        h = 2166136261u;
        break;
      case '.':
        dots++;
        break;
      case '@':
        return -1;
      default:
        h = rotate((h ^ c) * 16777619u, 5);
      }
    }
  for (int i = 1; i < 256; i++) {
    uint32_t v = seen[i];
    int j = i;
    for (; j > 0 && seen[j - 1] > v; j--)
      seen[j] = seen[j - 1];
    seen[j] = v;
  }
  return words * 1000 + dots + (h & 7);
}
