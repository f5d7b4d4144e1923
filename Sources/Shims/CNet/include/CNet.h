// UDP sockets: set-up, batches of datagrams in both directions, and what the kernel says about each one received.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Every function that returns an int gives a negative errno when the system refuses. Addresses and ports are in host order.

/// A non-blocking IPv4 datagram socket.
int martlet_net_open(void);

/// Closes a socket or event.
void martlet_net_close(int file);

/// Names the local end.
int martlet_net_bind(int socket, uint32_t address, uint16_t port);

/// Names the other end.
int martlet_net_connect(int socket, uint32_t address, uint16_t port);

/// The local end.
int martlet_net_local(int socket, uint32_t *_Nonnull address, uint16_t *_Nonnull port);

/// The index of the interface called `name`.
int martlet_net_interface(const char *_Nonnull name);

/// Joins `group` on the interface of that index, or where the index is 0 on the one of that address (0: the system's choice).
int martlet_net_join(int socket, uint32_t group, uint32_t address, int interface);

/// Sends multicast through the interface of that index, or where the index is 0 through the one of that address.
int martlet_net_send_through(int socket, uint32_t address, int interface);

/// What can be asked of a socket.
typedef enum {
  /// Several sockets may have one address.
  martlet_net_reuse,
  /// Room for datagrams not yet received, in bytes; beyond the administrator's limit where permitted.
  martlet_net_receive_room,
  /// Room for datagrams not yet sent, in bytes.
  martlet_net_send_room,
  /// Microseconds a receive polls the device's queue.
  martlet_net_busy_poll,
  /// Time stamps on every datagram.
  martlet_net_stamps,
  /// Drop counts on every datagram.
  martlet_net_drop_counts,
  /// Datagrams of groups that other sockets joined.
  martlet_net_all_groups,
  /// Own multicast comes back.
  martlet_net_multicast_loop,
  /// Routers multicast may pass.
  martlet_net_multicast_hops,
} martlet_net_option;

/// Asks for `value`.
int martlet_net_set(int socket, martlet_net_option option, int value);

/// What was granted.
int martlet_net_get(int socket, martlet_net_option option, int *_Nonnull value);

/// Datagrams the socket had to drop since it was opened.
int martlet_net_drops(int socket, uint32_t *_Nonnull drops);

/// An event that can be waited for together with a socket.
int martlet_net_event(void);

/// Sets the event, for good.
void martlet_net_signal(int event);

/// Waits until the socket can be read or the event is set, at most `nanoseconds` (negative: for ever).
int martlet_net_wait(int socket, int event, int64_t nanoseconds);

// A received datagram lies in a slot, in the form in which multishot receives leave it:
//
//   0 name length │ 4 control length │ 8 datagram length │ 12 flags │ 16 name (16) │ 32 control (64) │ 96 payload
enum {
  martlet_net_name_bytes = 16,
  martlet_net_control_bytes = 64,
  martlet_net_payload_offset = 96,
};

/// What a slot says.
typedef struct {
  /// Bytes the datagram had when it was sent.
  uint32_t wire_bytes;
  /// Bytes of it in the slot.
  uint32_t payload_bytes;
  /// The kernel's time stamp in nanoseconds since the Unix epoch, or 0 without one.
  int64_t stamp;
  /// Datagrams the socket dropped before this one, modulo 2^32; valid with `has_drops`.
  uint32_t drops;
  uint32_t source_address;
  uint16_t source_port;
  bool has_drops;
} martlet_net_datagram;

/// Reads the slot, which has room for `payload_room` bytes of payload.
martlet_net_datagram martlet_net_read(const void *_Nonnull slot, uint32_t payload_room);

/// Bytes a table of `count` messages takes, aligned to 8.
size_t martlet_net_table_bytes(uint32_t count);

/// Makes a table whose message `i` receives into slot `i`.
void martlet_net_make_receive_table(
    void *_Nonnull table, uint32_t count, void *_Nonnull slots, size_t stride, uint32_t payload_room);

/// Receives at most `count` datagrams into the first slots without waiting; how many.
int martlet_net_receive(void *_Nonnull table, int socket, uint32_t count);

/// Makes a table whose message `i` sends from `payloads + i * stride`.
void martlet_net_make_send_table(void *_Nonnull table, uint32_t count, void *_Nonnull payloads, size_t stride);

/// Gives message `index` its length in bytes.
void martlet_net_set_length(void *_Nonnull table, uint32_t index, uint32_t length);

/// Sends one datagram of at most 65,507 bytes to an address without waiting; how many bytes went out.
int martlet_net_send_to(int socket, uint32_t address, uint16_t port, const void *_Nonnull bytes, size_t count);

/// Sends `count` messages from `first` on to the connected end, waiting for room for at most 100 ms; how many went out.
int martlet_net_send(void *_Nonnull table, int socket, uint32_t first, uint32_t count);
