/* A plugin that is asked at every hook and has no opinion: what a call costs. */
#include "mta.h"

MTA_PLUGIN(.name = "noop", .version = "1.0.0", .connect = "", .helo = "", .auth = "", .mail = "", .rcpt = "", .predata = "",
           .data = "", .route = "", .outcome = "", .bounce = "", .disconnect = "")

MTA_ON_CONNECT(ev) {
    (void)ev;
    return mta_continue();
}
MTA_ON_HELO(ev) {
    (void)ev;
    return mta_continue();
}
MTA_ON_AUTH(ev) {
    (void)ev;
    return mta_continue();
}
MTA_ON_MAIL(ev) {
    (void)ev;
    return mta_continue();
}
MTA_ON_RCPT(ev) {
    (void)ev;
    return mta_continue();
}
MTA_ON_PREDATA(ev) {
    (void)ev;
    return mta_continue();
}
MTA_ON_DATA(ev) {
    (void)ev;
    return mta_continue();
}
MTA_ON_ROUTE(ev) {
    (void)ev;
    return (mta_route_answer){0};
}
MTA_ON_OUTCOME(ev) {
    (void)ev;
    return (mta_outcome_answer){0};
}
MTA_ON_BOUNCE(ev) {
    (void)ev;
    return (mta_bounce_answer){0};
}
MTA_ON_DISCONNECT(ev) { (void)ev; }
