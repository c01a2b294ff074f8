/* A milter: refuses big messages, and writes the size into the others. */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>

static const size_t most = 1000000;

static sfsistat on_envfrom(SMFICTX *ctx, char **argv) {
    (void)argv;
    size_t *size = smfi_getpriv(ctx);
    if (size == NULL && (size = malloc(sizeof *size)) == NULL) return SMFIS_TEMPFAIL;
    *size = 0;
    smfi_setpriv(ctx, size);
    return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t len) {
    (void)chunk;
    size_t *size = smfi_getpriv(ctx);
    *size += len;
    return SMFIS_CONTINUE;
}

static sfsistat on_eom(SMFICTX *ctx) {
    size_t *size = smfi_getpriv(ctx);
    char text[32];
    if (*size > most) {
        smfi_setreply(ctx, "552", "5.3.4", "too big for us");
        return SMFIS_REJECT;
    }
    snprintf(text, sizeof text, "%zu", *size);
    smfi_addheader(ctx, "X-Size", text);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx) {
    free(smfi_getpriv(ctx));
    smfi_setpriv(ctx, NULL);
    return SMFIS_CONTINUE;
}

int main(void) {
    struct smfiDesc d = {
        .xxfi_name = "size", .xxfi_version = SMFI_VERSION, .xxfi_flags = SMFIF_ADDHDRS,
        .xxfi_envfrom = on_envfrom, .xxfi_body = on_body, .xxfi_eom = on_eom, .xxfi_close = on_close,
    };
    if (smfi_setconn("inet:8891@127.0.0.1") != MI_SUCCESS || smfi_register(d) != MI_SUCCESS) return 1;
    return smfi_main();
}
