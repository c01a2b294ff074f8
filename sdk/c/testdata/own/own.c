/* A plugin that leaves a note and reads it again. It has no MTA_START: its name is
 * known all the same. */
#include "mta.h"

MTA_PLUGIN(.name = "own", .helo = "session.helo", .rcpt = "session.notes")

MTA_ON_HELO(ev) {
    mta_answer a = mta_continue();
    mta_note(&a.edits, "seen", ev->session.helo);
    return a;
}

MTA_ON_RCPT(ev) {
    mta_str seen = mta_note_get(ev->session.notes, mta_join(mta_name(), ".seen"));
    if (seen.len == 0) return mta_defer("4.2.0", "I have not seen you yet");
    return mta_reject("5.7.1", mta_join(mta_name(), " has seen ", seen));
}
