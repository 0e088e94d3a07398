/*
 * One end of an SCTP association by usrsctp, its packets bare in UDP on the loopback interface. It sends every message
 * back on the stream that it came on, resets a stream of its own when the peer has reset that one, ends the association
 * when a message says "shutdown", and prints what happens.
 *
 *   peer LOCAL-PORT REMOTE-PORT connect|listen plain|interleaved
 */

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <usrsctp.h>

/* SCTP_INTERLEAVING_SUPPORTED, which the library has and its header does not. */
#define INTERLEAVING_SUPPORTED 0x00001206

#define SCTP_PORT 5000
#define MAX_MESSAGE (1 << 20)

static int udp;

static int send_packet(void *address, void *packet, size_t length, uint8_t tos, uint8_t set_df)
{
	(void)address, (void)tos, (void)set_df;
	return send(udp, packet, length, 0) < 0 ? errno : 0;
}

static void *receive_packets(void *address)
{
	static char packet[65536];
	for (;;) {
		ssize_t length = recv(udp, packet, sizeof packet, 0);
		if (length > 0)
			usrsctp_conninput(address, packet, (size_t)length, 0);
	}
	return NULL;
}

static void must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
}

static struct sockaddr_conn conn_address(void)
{
	struct sockaddr_conn address;
	memset(&address, 0, sizeof address);
	address.sconn_family = AF_CONN;
	address.sconn_port = htons(SCTP_PORT);
	address.sconn_addr = &udp;
	return address;
}

static void open_udp(int local, int remote)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int size = 4 << 20;
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)local);
	must(bind(udp, (struct sockaddr *)&address, sizeof address), "bind");
	address.sin_port = htons((uint16_t)remote);
	must(connect(udp, (struct sockaddr *)&address, sizeof address), "connect");
}

static void set_options(struct socket *s, int interleaved)
{
	uint16_t events[] = {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_SHUTDOWN_EVENT};
	struct sctp_assoc_value resets = {SCTP_ALL_ASSOC, SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ};
	struct sctp_initmsg streams = {.sinit_num_ostreams = 1000, .sinit_max_instreams = 1000};
	int on = 1, level = interleaved ? 2 : 0, size = 8 << 20;
	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		struct sctp_event event = {.se_assoc_id = SCTP_ALL_ASSOC, .se_type = events[i], .se_on = 1};
		must(usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event), "SCTP_EVENT");
	}
	must(usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &resets, sizeof resets), "resets");
	must(usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams), "SCTP_INITMSG");
	must(usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on), "SCTP_RECVRCVINFO");
	must(usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on), "SCTP_NODELAY");
	must(usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &level, sizeof level), "fragments");
	must(usrsctp_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), "SO_RCVBUF");
	must(usrsctp_setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), "SO_SNDBUF");
}

/* To be said before there is an association. */
static void offer_interleaving(struct socket *s)
{
	struct sctp_assoc_value on = {SCTP_FUTURE_ASSOC, 1};
	must(usrsctp_setsockopt(s, IPPROTO_SCTP, INTERLEAVING_SUPPORTED, &on, sizeof on), "interleaving");
}

static void reset_streams(struct socket *s, const struct sctp_stream_reset_event *event)
{
	size_t count = (event->strreset_length - sizeof *event) / sizeof(uint16_t);
	size_t size = sizeof(struct sctp_reset_streams) + count * sizeof(uint16_t);
	struct sctp_reset_streams *request = calloc(1, size);
	request->srs_flags = SCTP_STREAM_RESET_OUTGOING;
	request->srs_number_streams = (uint16_t)count;
	memcpy(request->srs_stream_list, event->strreset_stream_list, count * sizeof(uint16_t));
	must(usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_RESET_STREAMS, request, (socklen_t)size), "reset");
	free(request);
}

static void notified(struct socket *s, const union sctp_notification *news)
{
	static const char *const changes[] = {"", "up", "lost", "restart", "down", "refused"};
	switch (news->sn_header.sn_type) {
	case SCTP_ASSOC_CHANGE:
		printf("%s\n", changes[news->sn_assoc_change.sac_state % 6]);
		if (news->sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP)
			exit(0);
		if (news->sn_assoc_change.sac_state == SCTP_COMM_LOST)
			exit(2);
		break;
	case SCTP_STREAM_RESET_EVENT:
		if (news->sn_strreset_event.strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN)
			reset_streams(s, &news->sn_strreset_event);
		break;
	}
}

static void echo(struct socket *s, const char *message, size_t length, const struct sctp_rcvinfo *info)
{
	struct sctp_sendv_spa how;
	if (length == 8 && memcmp(message, "shutdown", 8) == 0) {
		usrsctp_shutdown(s, SHUT_WR);
		return;
	}
	memset(&how, 0, sizeof how);
	how.sendv_flags = SCTP_SEND_SNDINFO_VALID;
	how.sendv_sndinfo.snd_sid = info->rcv_sid;
	how.sendv_sndinfo.snd_ppid = info->rcv_ppid;
	how.sendv_sndinfo.snd_flags = info->rcv_flags & SCTP_UNORDERED ? SCTP_UNORDERED : 0;
	must((int)usrsctp_sendv(s, message, length, NULL, 0, &how, sizeof how, SCTP_SENDV_SPA, 0), "send");
}

/* Parts of messages of different streams may come in turns where messages are interleaved. */
static struct {
	char *bytes;
	size_t length;
} partial[1000];

static void serve(struct socket *s)
{
	static char buffer[MAX_MESSAGE];
	for (;;) {
		struct sctp_rcvinfo info;
		unsigned int kind = 0;
		int flags = 0;
		struct sockaddr_conn from;
		socklen_t from_length = sizeof from, info_length = sizeof info;
		memset(&info, 0, sizeof info);
		ssize_t length = usrsctp_recvv(s, buffer, sizeof buffer, (struct sockaddr *)&from, &from_length, &info,
					       &info_length, &kind, &flags);
		if (length <= 0)
			exit(length == 0 ? 0 : 3);
		if (flags & MSG_NOTIFICATION) {
			notified(s, (const union sctp_notification *)buffer);
			continue;
		}
		uint16_t id = info.rcv_sid % 1000;
		partial[id].bytes = realloc(partial[id].bytes, partial[id].length + (size_t)length);
		memcpy(partial[id].bytes + partial[id].length, buffer, (size_t)length);
		partial[id].length += (size_t)length;
		if (flags & MSG_EOR) {
			echo(s, partial[id].bytes, partial[id].length, &info);
			partial[id].length = 0;
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 64;
	int interleaved = strcmp(argv[4], "interleaved") == 0;
	pthread_t receiver;
	struct sockaddr_conn address;
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_udp(atoi(argv[1]), atoi(argv[2]));
	usrsctp_init(0, send_packet, NULL);
	usrsctp_sysctl_set_sctp_ecn_enable(0);
	usrsctp_register_address(&udp);
	address = conn_address();
	struct socket *s = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
	if (s == NULL)
		must(-1, "socket");
	set_options(s, interleaved);
	if (interleaved)
		offer_interleaving(s);
	must(usrsctp_bind(s, (struct sockaddr *)&address, sizeof address), "usrsctp_bind");
	if (strcmp(argv[3], "listen") == 0) {
		must(usrsctp_listen(s, 1), "usrsctp_listen");
		pthread_create(&receiver, NULL, receive_packets, &udp);
		puts("ready");
		s = usrsctp_accept(s, NULL, NULL);
		if (s == NULL)
			must(-1, "usrsctp_accept");
		set_options(s, interleaved);
		puts("up");
	} else {
		/* Before it connects it would refuse whoever comes, so that it has begun to when it says that it is ready. */
		usrsctp_set_non_blocking(s, 1);
		if (usrsctp_connect(s, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
			must(-1, "usrsctp_connect");
		usrsctp_set_non_blocking(s, 0);
		pthread_create(&receiver, NULL, receive_packets, &udp);
		puts("ready");
	}
	serve(s);
}
