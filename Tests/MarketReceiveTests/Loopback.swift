import Glibc
import LockFreeRings
import MarketReceive
import Testing
import TradingTypes

/// A plain sending socket, independent of what is tested.
struct LoopbackSender: ~Copyable {
  let file: Int32
  private var name: sockaddr_in
  let port: UInt16

  init(to endpoint: UDPEndpoint) {
    file = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    precondition(file >= 0)
    name = Self.name(endpoint)
    var own = Self.name(UDPEndpoint(.loopback, port: 0))
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    port = unsafe withUnsafeMutablePointer(to: &own) { [file] pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        precondition(unsafe bind(file, $0, length) == 0)
        precondition(unsafe getsockname(file, $0, &length) == 0)
      }
      return UInt16(bigEndian: unsafe pointer.pointee.sin_port)
    }
  }

  deinit { close(file) }

  private static func name(_ endpoint: UDPEndpoint) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = endpoint.port.bigEndian
    name.sin_addr.s_addr = endpoint.address.bits.bigEndian
    return name
  }

  /// Sends one datagram; 0 or an errno.
  @discardableResult func send(_ bytes: [UInt8]) -> Int32 {
    var name = name
    let sent = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe sendto(file, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return sent == bytes.count ? 0 : errno
  }
}

/// What was received, copied out.
struct Received: Equatable {
  var bytes: [UInt8]
  var source: UDPEndpoint
  var kernelNanoseconds: Int64
  var wireByteCount: Int
  var isTruncated: Bool
}

enum Loopback {
  /// The ways this system has.
  static let ways: [ReceiveConfiguration.Way] = hasUring ? [.uring, .recvmmsg] : [.recvmmsg]

  /// Whether the kernel and the build have io_uring with multishot receives.
  static let hasUring: Bool = {
    do {
      _ = try receiver(.uring)
      return true
    } catch { return false }
  }()

  static func receiver(
    _ way: ReceiveConfiguration.Way, endpoint: UDPEndpoint = UDPEndpoint(.loopback, port: 0), bufferCount: Int = 64,
    payloadBytesMax: Int = 256, socketBytes: Int = 4 << 20
  ) throws(NetworkError) -> PacketReceiver {
    let configuration = ReceiveConfiguration(
      endpoint, way: way, bufferCount: bufferCount, payloadBytesMax: payloadBytesMax, socketBytes: socketBytes)
    return try PacketReceiver(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
  }

  /// Receives until there are `count` packets or none came for `patience`.
  static func collect(_ count: Int, from receiver: inout PacketReceiver, upTo limit: Int = 64, patience: UInt64 = 1_000)
    -> [Received]
  {
    var received: [Received] = []
    while received.count < count {
      let batch = receiver.receive(waiting: ParkWait(spinsMax: 4), until: .after(milliseconds: patience), upTo: limit)
      if batch.count == 0 { break }
      for index in 0..<batch.count {
        let packet = batch[index]
        received.append(
          Received(
            bytes: copy(packet.bytes), source: packet.source,
            kernelNanoseconds: packet.kernelTime.nanoseconds, wireByteCount: packet.wireByteCount,
            isTruncated: packet.isTruncated))
      }
    }
    return received
  }

  static func copy(_ bytes: RawSpan) -> [UInt8] {
    // Any byte is a value.
    bytes.byteOffsets.map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
  }

  /// A payload that says which one it is.
  static func payload(_ number: Int, byteCount: Int = 40) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 < 4 ? number >> (8 * $0) : number &* 31 &+ $0) }
  }

  /// The number a payload says.
  static func number(_ bytes: [UInt8]) -> Int {
    (0..<4).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
  }
}

/// Notices that the wall clock was set, which the kernel's stamps follow: a virtual machine's may jump by milliseconds at any time.
struct WallClockWatch {
  private let lead = Self.lead()

  /// What the wall clock is ahead of the monotonic one, read while this thread was not held up.
  private static func lead() -> Int64 {
    while true {
      let before = SystemClocks.monotonicNanoseconds
      let wall = SystemClocks.wallNanoseconds
      if SystemClocks.monotonicNanoseconds - before < 100_000 { return wall - Int64(before) }
    }
  }

  /// Cancels the test where the clock was set by more than half a millisecond since this was made: no stamp means anything then.
  func requireSteady() throws {
    let moved = Self.lead() - lead
    if abs(moved) > 500_000 { try Test.cancel("the wall clock was set by \(moved) ns meanwhile") }
  }
}
