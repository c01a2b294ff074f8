// plugins/quota.js for Haraka: so many messages an hour for each recipient.
'use strict';

exports.register = function () {
    const load = () => { this.cfg = this.config.get('quota.ini', load); };
    load();
};

exports.hook_rcpt = function (next, connection, params) {
    const rcpt = params[0];
    const txn = connection.transaction;
    if (rcpt.host !== this.cfg.main.domain) return next();
    const key = `quota:${rcpt.address()}`;
    const redis = server.notes.redis;
    redis.incr(key, (err, n) => {
        if (err) return next(DENYSOFT, 'try again later');
        if (n === 1) redis.expire(key, 3600);
        if (n > this.cfg.main.hourly) {
            txn.results.add(this, { fail: rcpt.address() });
            return next(DENYSOFT, 'over quota, try again later');
        }
        txn.notes.quota = { left: this.cfg.main.hourly - n };
        next();
    });
};

exports.hook_data_post = function (next, connection) {
    const quota = connection.transaction.notes.quota;
    if (quota) connection.transaction.add_header('X-Quota-Left', String(quota.left));
    next();
};
