/* A session of libsrtp2 for any source, keyed as DTLS keys one: a master key and a master salt for each direction. */

#include <string.h>

#include <srtp2/srtp.h>

enum direction { SENDING, RECEIVING };

/* `profile` is the number that DTLS agrees on, `key` the master key with the master salt behind it. */
static srtp_err_status_t make_session(srtp_t *session, int profile, enum direction direction, unsigned char *key)
{
    srtp_policy_t policy;
    srtp_err_status_t status;

    memset(&policy, 0, sizeof policy);
    status = srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, (srtp_profile_t)profile);
    if (status == srtp_err_status_ok)
        status = srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, (srtp_profile_t)profile);
    if (status != srtp_err_status_ok)
        return status;
    policy.ssrc.type = direction == SENDING ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = key;
    policy.window_size = 1024;
    return srtp_create(session, &policy);
}
