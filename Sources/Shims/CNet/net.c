#define _GNU_SOURCE
#include "CNet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

static int answer(int result) { return result < 0 ? -errno : result; }

static struct sockaddr_in named(uint32_t address, uint16_t port) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(address)}};
  return name;
}

int martlet_net_open(void) { return answer(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

void martlet_net_close(int file) { close(file); }

int martlet_net_bind(int socket, uint32_t address, uint16_t port) {
  struct sockaddr_in name = named(address, port);
  return answer(bind(socket, (struct sockaddr *)&name, sizeof name));
}

int martlet_net_connect(int socket, uint32_t address, uint16_t port) {
  struct sockaddr_in name = named(address, port);
  return answer(connect(socket, (struct sockaddr *)&name, sizeof name));
}

int martlet_net_local(int socket, uint32_t *address, uint16_t *port) {
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  if (getsockname(socket, (struct sockaddr *)&name, &length) < 0) return -errno;
  *address = ntohl(name.sin_addr.s_addr);
  *port = ntohs(name.sin_port);
  return 0;
}

int martlet_net_interface(const char *name) {
  unsigned index = if_nametoindex(name);
  return index == 0 ? -errno : (int)index;
}

int martlet_net_join(int socket, uint32_t group, uint32_t address, int interface) {
  struct ip_mreqn request = {
      .imr_multiaddr = {htonl(group)}, .imr_address = {htonl(address)}, .imr_ifindex = interface};
  return answer(setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request));
}

int martlet_net_send_through(int socket, uint32_t address, int interface) {
  struct ip_mreqn request = {.imr_address = {htonl(address)}, .imr_ifindex = interface};
  return answer(setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request));
}

static void place(martlet_net_option option, int *level, int *name) {
  *level = SOL_SOCKET;
  switch (option) {
    case martlet_net_reuse: *name = SO_REUSEADDR; return;
    case martlet_net_receive_room: *name = SO_RCVBUF; return;
    case martlet_net_send_room: *name = SO_SNDBUF; return;
    case martlet_net_busy_poll: *name = SO_BUSY_POLL; return;
    case martlet_net_stamps: *name = SO_TIMESTAMPNS; return;
    case martlet_net_drop_counts: *name = SO_RXQ_OVFL; return;
    case martlet_net_all_groups: *level = IPPROTO_IP; *name = IP_MULTICAST_ALL; return;
    case martlet_net_multicast_loop: *level = IPPROTO_IP; *name = IP_MULTICAST_LOOP; return;
    case martlet_net_multicast_hops: *level = IPPROTO_IP; *name = IP_MULTICAST_TTL; return;
  }
}

int martlet_net_set(int socket, martlet_net_option option, int value) {
  int level, name;
  place(option, &level, &name);
  // The forced form passes the administrator's limit, for those who may.
  int forced = name == SO_RCVBUF ? SO_RCVBUFFORCE : name == SO_SNDBUF ? SO_SNDBUFFORCE : 0;
  if (level == SOL_SOCKET && forced != 0 && setsockopt(socket, level, forced, &value, sizeof value) == 0) return 0;
  return answer(setsockopt(socket, level, name, &value, sizeof value));
}

int martlet_net_get(int socket, martlet_net_option option, int *value) {
  int level, name;
  place(option, &level, &name);
  socklen_t length = sizeof *value;
  return answer(getsockopt(socket, level, name, value, &length));
}

int martlet_net_drops(int socket, uint32_t *drops) {
  uint32_t figures[SK_MEMINFO_VARS] = {0};
  socklen_t length = sizeof figures;
  if (getsockopt(socket, SOL_SOCKET, SO_MEMINFO, figures, &length) < 0) return -errno;
  *drops = figures[SK_MEMINFO_DROPS];
  return 0;
}

int martlet_net_event(void) { return answer(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

void martlet_net_signal(int event) {
  uint64_t one = 1;
  // Refused only when the event is set already, many times over.
  ssize_t written = write(event, &one, sizeof one);
  (void)written;
}

int martlet_net_wait(int socket, int event, int64_t nanoseconds) {
  struct pollfd files[2] = {{.fd = socket, .events = POLLIN}, {.fd = event, .events = POLLIN}};
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  return answer(ppoll(files, 2, nanoseconds < 0 ? NULL : &limit, NULL));
}

// Slots

struct slot {
  uint32_t name_bytes, control_bytes, wire_bytes, flags;
  struct sockaddr_in name;
  _Alignas(8) unsigned char control[martlet_net_control_bytes];
  unsigned char payload[];
};
_Static_assert(sizeof(struct sockaddr_in) == martlet_net_name_bytes, "a name fills its place");
_Static_assert(offsetof(struct slot, payload) == martlet_net_payload_offset, "the payload is where the header says");

martlet_net_datagram martlet_net_read(const void *memory, uint32_t payload_room) {
  const struct slot *slot = memory;
  martlet_net_datagram read = {.wire_bytes = slot->wire_bytes};
  read.payload_bytes = slot->wire_bytes < payload_room ? slot->wire_bytes : payload_room;
  if (slot->name_bytes >= sizeof slot->name) {
    read.source_address = ntohl(slot->name.sin_addr.s_addr);
    read.source_port = ntohs(slot->name.sin_port);
  }
  size_t end = slot->control_bytes < sizeof slot->control ? slot->control_bytes : sizeof slot->control;
  for (size_t at = 0; at + sizeof(struct cmsghdr) <= end;) {
    struct cmsghdr header;
    memcpy(&header, slot->control + at, sizeof header);
    if (header.cmsg_len < sizeof header || header.cmsg_len > end - at) break;
    const unsigned char *body = slot->control + at + CMSG_LEN(0);
    size_t length = header.cmsg_len - CMSG_LEN(0);
    if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_TIMESTAMPNS && length >= sizeof(struct timespec)) {
      struct timespec time;
      memcpy(&time, body, sizeof time);
      read.stamp = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SO_RXQ_OVFL && length >= sizeof read.drops) {
      memcpy(&read.drops, body, sizeof read.drops);
      read.has_drops = true;
    }
    at += CMSG_ALIGN(header.cmsg_len);
  }
  return read;
}

// Tables: the messages first, then their vectors.

struct table {
  uint32_t count;
  struct mmsghdr messages[];
};

static struct iovec *vectors(struct table *table) { return (struct iovec *)(table->messages + table->count); }

size_t martlet_net_table_bytes(uint32_t count) {
  return sizeof(struct table) + (size_t)count * (sizeof(struct mmsghdr) + sizeof(struct iovec));
}

static void make(struct table *table, uint32_t count, unsigned char *first, size_t stride, size_t length) {
  memset(table, 0, martlet_net_table_bytes(count));
  table->count = count;
  for (uint32_t i = 0; i < count; i++) {
    vectors(table)[i] = (struct iovec){first + i * stride, length};
    table->messages[i].msg_hdr.msg_iov = vectors(table) + i;
    table->messages[i].msg_hdr.msg_iovlen = 1;
  }
}

void martlet_net_make_receive_table(void *table, uint32_t count, void *slots, size_t stride, uint32_t payload_room) {
  unsigned char *first = slots;
  make(table, count, first + martlet_net_payload_offset, stride, payload_room);
  for (uint32_t i = 0; i < count; i++) {
    struct slot *slot = (struct slot *)(first + i * stride);
    struct msghdr *header = &((struct table *)table)->messages[i].msg_hdr;
    header->msg_name = &slot->name;
    header->msg_namelen = martlet_net_name_bytes;
    header->msg_control = slot->control;
    header->msg_controllen = martlet_net_control_bytes;
  }
}

int martlet_net_receive(void *memory, int socket, uint32_t count) {
  struct table *table = memory;
  int received = recvmmsg(socket, table->messages, count, MSG_DONTWAIT | MSG_TRUNC, NULL);
  if (received < 0) return -errno;
  for (int i = 0; i < received; i++) {
    struct msghdr *header = &table->messages[i].msg_hdr;
    struct slot *slot = (struct slot *)((unsigned char *)header->msg_name - offsetof(struct slot, name));
    slot->name_bytes = header->msg_namelen;
    slot->control_bytes = (uint32_t)header->msg_controllen;
    slot->wire_bytes = table->messages[i].msg_len;
    slot->flags = (uint32_t)header->msg_flags;
    // The system wrote over the room there is.
    header->msg_namelen = martlet_net_name_bytes;
    header->msg_controllen = martlet_net_control_bytes;
  }
  return received;
}

void martlet_net_make_send_table(void *table, uint32_t count, void *payloads, size_t stride) {
  make(table, count, payloads, stride, 0);
}

void martlet_net_set_length(void *table, uint32_t index, uint32_t length) {
  vectors(table)[index].iov_len = length;
}

int martlet_net_send_to(int socket, uint32_t address, uint16_t port, const void *bytes, size_t count) {
  struct sockaddr_in name = named(address, port);
  return answer((int)sendto(socket, bytes, count, MSG_DONTWAIT, (struct sockaddr *)&name, sizeof name));
}

int martlet_net_send(void *memory, int socket, uint32_t first, uint32_t count) {
  struct table *table = memory;
  int sent = sendmmsg(socket, table->messages + first, count, 0);
  if (sent >= 0 || errno != EAGAIN) return answer(sent);
  struct pollfd file = {.fd = socket, .events = POLLOUT};
  struct timespec limit = {0, 100000000};
  if (ppoll(&file, 1, &limit, NULL) <= 0) return -EAGAIN;
  return answer(sendmmsg(socket, table->messages + first, count, 0));
}
