/* What the benchmark calls of libsrtp2. */

#include "session.h"

/* A session for packets of one direction; none if the library does not know the profile. */
srtp_t bench_srtp_new(int profile, int receiving, unsigned char *key)
{
    static int ready;
    srtp_t session;

    if (!ready && srtp_init() != srtp_err_status_ok)
        return NULL;
    ready = 1;
    if (make_session(&session, profile, receiving ? RECEIVING : SENDING, key) != srtp_err_status_ok)
        return NULL;
    return session;
}

/* The packet's new length, or -1. */
int bench_srtp_protect(srtp_t session, unsigned char *packet, int len)
{
    return srtp_protect(session, packet, &len) == srtp_err_status_ok ? len : -1;
}

int bench_srtp_unprotect(srtp_t session, unsigned char *packet, int len)
{
    return srtp_unprotect(session, packet, &len) == srtp_err_status_ok ? len : -1;
}
