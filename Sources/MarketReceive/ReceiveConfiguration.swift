/// What a receiver listens to, and how.
public struct ReceiveConfiguration: Hashable, Sendable {
  /// Which way datagrams come in.
  ///
  /// io_uring leaves a waiting thread in its own memory and needs one system call a burst. A thread that spins on a processor of its
  /// own can be quicker by recvmmsg: 1.7 us against 2.2 us from stamp to book at 200,000 packets a second over loopback on a virtual
  /// machine. `proof live` measures both.
  public enum Way: Hashable, Sendable, CaseIterable {
    /// io_uring where it can be had with multishot receives, else recvmmsg.
    case best
    /// io_uring or an error.
    case uring
    /// recvmmsg.
    case recvmmsg
  }

  /// Local address and port. A multicast group is joined, and only datagrams to it are received.
  public var endpoint: UDPEndpoint
  /// Where the group is joined; without meaning for other addresses.
  public var interface: NetworkInterface
  /// Which way datagrams come in.
  public var way: Way
  /// Datagrams that can be with the caller and in completions at a time; a power of two from 2 to 32,768.
  public var bufferCount: Int
  /// Bytes kept of a datagram, 1 to 65,507; a longer one is truncated and says so.
  public var payloadBytesMax: Int
  /// Room in the socket for datagrams not yet received, in bytes, as the system counts them: some 800 to 2,300 each.
  public var socketBytes: Int
  /// Microseconds a receive may poll the network card's queue, or nil for the system's setting. A wish.
  public var busyPollMicroseconds: Int?

  /// Listens to `endpoint` in the best way there is.
  public init(
    _ endpoint: UDPEndpoint, interface: NetworkInterface = .systemChoice, way: Way = .best, bufferCount: Int = 1_024,
    payloadBytesMax: Int = 1_952, socketBytes: Int = 4 << 20, busyPollMicroseconds: Int? = nil
  ) {
    self.endpoint = endpoint
    self.interface = interface
    self.way = way
    self.bufferCount = bufferCount
    self.payloadBytesMax = payloadBytesMax
    self.socketBytes = socketBytes
    self.busyPollMicroseconds = busyPollMicroseconds
  }

  /// Bytes a receiver takes from its arena, padding included.
  public var arenaBytes: Int {
    PacketSlots.byteCount(count: bufferCount, payloadBytesMax: payloadBytesMax)
  }

  /// Why no receiver can have these settings, or nil.
  func fault() -> String? {
    if !(2...32_768).contains(bufferCount) || bufferCount & (bufferCount - 1) != 0 {
      return "receive buffers: \(bufferCount), a power of two from 2 to 32768 expected"
    }
    if !(1...65_507).contains(payloadBytesMax) {
      return "bytes kept of a datagram: \(payloadBytesMax), 1 to 65507 expected"
    }
    if !(1...1 << 30).contains(socketBytes) { return "socket room: \(socketBytes) bytes, 1 to 2^30 expected" }
    if let busyPollMicroseconds, !(0...1_000_000).contains(busyPollMicroseconds) {
      return "busy polling: \(busyPollMicroseconds) microseconds, 0 to 1000000 expected"
    }
    return nil
  }
}

/// What a receiver got of its wishes.
public struct ReceiveGrant: Hashable, Sendable, CustomStringConvertible {
  /// Which way datagrams come in, and why not a better one.
  public var backend: String
  /// Whether that is io_uring.
  public var usesUring: Bool
  /// Room in the socket in bytes, as the system counts it.
  public var socketBytes: Int
  /// Microseconds of busy polling, or nil where none was asked for or granted.
  public var busyPollMicroseconds: Int?
  /// Whether the kernel stamps each datagram.
  public var hasStamps: Bool
  /// Why a wish was refused, one line each.
  public var refusals: [String]

  /// One line for a report.
  public var description: String {
    let polling = busyPollMicroseconds.map { ["busy polling \($0) us"] } ?? []
    return
      ([backend, "\(socketBytes) bytes in the socket", hasStamps ? "kernel time stamps" : "no time stamps"] + polling
      + refusals).joined(separator: ", ")
  }
}
