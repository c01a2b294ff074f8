/* A plugin of mta: refuses big messages, and writes the size into the others. */
#include "mta.h"

#define MOST 1000000

MTA_PLUGIN(.name = "size", .version = "1.0.0", .needs = "headers",
           .data = "message.size")

MTA_ON_DATA(ev) {
    mta_answer a = mta_continue();
    if (ev->message.size > MOST) {
        a = mta_reject("5.3.4", "too big for us");
        a.reply.code = 552;
        return a;
    }
    mta_append_header(&a.edits, "X-Size", mta_itoa(ev->message.size));
    return a;
}
