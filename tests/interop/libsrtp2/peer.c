/*
 * One side of SRTP by libsrtp2, driven by lines.
 *
 *     peer PROFILE SENDING_KEY RECEIVING_KEY      keys and packets in hexadecimal digits
 *
 * Each line of input is an operation and a packet, each line of output the packet that became of it, or "error" and
 * libsrtp2's number for what was wrong:
 *
 *     protect_rtp | unprotect_rtp | protect_rtcp | unprotect_rtcp  PACKET
 */

#include <stdio.h>
#include <stdlib.h>

#include "session.h"

#define MAX_PACKET 2048

/* Packets are kept at an address that the library may read words from. */
typedef union {
    uint32_t word;
    unsigned char bytes[MAX_PACKET + SRTP_MAX_TRAILER_LEN + 8];
} buffer;

static int from_hex(const char *digits, unsigned char *bytes)
{
    int len = 0;
    unsigned value;

    for (; len < MAX_PACKET && sscanf(digits, "%2x", &value) == 1; digits += 2)
        bytes[len++] = (unsigned char)value;
    return len;
}

static srtp_err_status_t perform(const char *operation, srtp_t sending, srtp_t receiving, void *packet, int *len)
{
    if (strcmp(operation, "protect_rtp") == 0)
        return srtp_protect(sending, packet, len);
    if (strcmp(operation, "unprotect_rtp") == 0)
        return srtp_unprotect(receiving, packet, len);
    if (strcmp(operation, "protect_rtcp") == 0)
        return srtp_protect_rtcp(sending, packet, len);
    if (strcmp(operation, "unprotect_rtcp") == 0)
        return srtp_unprotect_rtcp(receiving, packet, len);
    return srtp_err_status_bad_param;
}

int main(int argc, char **argv)
{
    static char line[2 * MAX_PACKET + 64];
    static buffer packet;
    unsigned char key[64];
    srtp_t sessions[2];

    if (argc != 4 || srtp_init() != srtp_err_status_ok)
        return EXIT_FAILURE;
    for (int direction = SENDING; direction <= RECEIVING; direction++) {
        from_hex(argv[2 + direction], key);
        if (make_session(&sessions[direction], atoi(argv[1]), direction, key) != srtp_err_status_ok)
            return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, stdin)) {
        char *digits = strchr(line, ' ');
        int len;
        srtp_err_status_t status;

        if (!digits)
            return EXIT_FAILURE;
        *digits++ = '\0';
        len = from_hex(digits, packet.bytes);
        status = perform(line, sessions[SENDING], sessions[RECEIVING], packet.bytes, &len);
        if (status != srtp_err_status_ok)
            printf("error %d", status);
        else
            for (int at = 0; at < len; at++)
                printf("%02x", packet.bytes[at]);
        putchar('\n');
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
