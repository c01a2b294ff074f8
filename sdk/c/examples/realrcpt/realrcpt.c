/*
 * A typical decision at RCPT TO: recipient domains from a table, sender domains
 * and networks that are not wanted, and a refusal with words of its own.
 *
 *     domains  the recipient domains that are ours
 *     senders  sender domains whose mail is refused
 *     networks prefixes of client addresses that are refused: "198.51.100."
 */
#include "mta.h"

MTA_PLUGIN(.name = "realrcpt", .version = "1.0.0", .rcpt = "session.remote_ip envelope.from recipient.addr")

static mta_set domains, senders;
static mta_str_list networks;

MTA_START(s) {
    mta_config_set(s, "domains", &domains);
    mta_config_set(s, "senders", &senders);
    mta_config_strs(s, "networks", &networks);
    return mta_config_end(s, "domains, senders, networks");
}

MTA_ON_RCPT(ev) {
    mta_str ip = ev->session.remote_ip;
    for (uint32_t i = 0; i < networks.len; i++)
        if (mta_starts(ip, mta_str_at(networks, i)))
            return mta_reject("5.7.1", mta_join("no mail from your network: ", ip));
    mta_str from = mta_domain(ev->envelope.from);
    if (mta_set_has(senders, from)) return mta_reject("5.7.1", mta_join("no mail from ", from, " is taken here"));
    mta_str to = ev->recipient.addr;
    if (!mta_set_has(domains, mta_domain(to))) return mta_reject("5.1.2", mta_join("<", to, ">: ", mta_domain(to), " is no domain of ours"));
    return mta_accept();
}
