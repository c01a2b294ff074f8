/* A plugin that uses wasi-libc, whose heap lies beside the memory of mta.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mta.h"

MTA_PLUGIN(.name = "libc", .rcpt = "recipient.addr")

static int *count;

MTA_ON_RCPT(ev) {
    char *big = malloc(1 << 20), text[64];
    memset(big, 1, 1 << 20);
    uint8_t *mine = mta_alloc(1 << 20);
    memset(mine, 2, 1 << 20);
    if (count == NULL) count = calloc(1, sizeof *count);
    for (int i = 0; i < 1 << 20; i++)
        if (big[i] != 1 || mine[i] != 2) return mta_broken("the two heaps overlap");
    free(big);
    snprintf(text, sizeof text, "recipient %u octets long, %03d", ev->recipient.addr.len, ++*count);
    return mta_defer("4.2.0", mta_keep(text));
}
