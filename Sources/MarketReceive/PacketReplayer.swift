public import LockFreeRings
public import TradingTypes
internal import CNet
internal import Glibc

/// When packets go out.
public enum ReplayPace: Hashable, Sendable {
  /// At their own times, `speed` times as fast.
  case original(speed: Double)
  /// So many a second, evenly.
  case packetsPerSecond(Double)
  /// One after the other.
  case asFastAsPossible
}

/// What a replayer sends to, and how.
public struct ReplayConfiguration: Hashable, Sendable {
  /// Where packets go: a machine or a multicast group.
  public var endpoint: UDPEndpoint
  /// Where multicast leaves; without meaning for other addresses.
  public var interface: NetworkInterface
  /// When packets go out.
  public var pace: ReplayPace
  /// Packets of one system call, 1 to 1,024.
  public var batchMax: Int
  /// The longest packet, 1 to 65,507 bytes.
  public var payloadBytesMax: Int
  /// Packets due within so many nanoseconds go out together with the first of them: fewer system calls, less even.
  public var coalescingNanoseconds: UInt64
  /// The last nanoseconds before a packet is due are spun away; before that the thread sleeps.
  public var spinNanoseconds: UInt64
  /// Overwrites the last eight bytes of each packet with the wall clock's nanoseconds right before it is sent, lowest byte first.
  public var stampsPackets: Bool

  /// Packets to `endpoint` at `pace`.
  public init(
    _ endpoint: UDPEndpoint, pace: ReplayPace, interface: NetworkInterface = .systemChoice, batchMax: Int = 64,
    payloadBytesMax: Int = 1_952, coalescingNanoseconds: UInt64 = 0, spinNanoseconds: UInt64 = 100_000,
    stampsPackets: Bool = false
  ) {
    self.endpoint = endpoint
    self.pace = pace
    self.interface = interface
    self.batchMax = batchMax
    self.payloadBytesMax = payloadBytesMax
    self.coalescingNanoseconds = coalescingNanoseconds
    self.spinNanoseconds = spinNanoseconds
    self.stampsPackets = stampsPackets
  }

  /// Bytes a replayer takes from its arena, padding included.
  public var arenaBytes: Int { SendSlots.byteCount(count: batchMax, payloadBytesMax: payloadBytesMax) }

  /// Why no replayer can have these settings, or nil.
  func fault() -> String? {
    switch pace {
    case .original(let speed) where !(speed > 0 && speed.isFinite):
      return "speed of the replay: \(speed), a positive number expected"
    case .packetsPerSecond(let rate) where !(rate >= 1e-6 && rate <= 1e9):
      return "packets a second: \(rate), 1e-6 to 1e9 expected"
    default: break
    }
    if !(1...1_024).contains(batchMax) { return "packets of one call: \(batchMax), 1 to 1024 expected" }
    if !(1...65_507).contains(payloadBytesMax) { return "bytes of a packet: \(payloadBytesMax), 1 to 65507 expected" }
    return nil
  }
}

/// Sends packets over UDP at a chosen speed, paced by the monotonic clock.
///
/// A packet that is due late does not move those after it: the replay catches up, in larger batches.
///
/// ```
/// while let packet = capture.next() { replayer.send(packet.bytes, at: packet.time) }
/// replayer.finish()
/// ```
///
/// - Complexity: O(bytes) a packet, which is copied once; no allocation after `init`.
public struct PacketReplayer: ~Copyable, @unchecked Sendable {
  /// What was sent so far.
  public private(set) var counters = ReplayCounters()
  /// The last reason why a packet was not sent, or nil.
  public private(set) var lastFailure: NetworkError?
  /// Where the packets come from.
  public let localEndpoint: UDPEndpoint

  private let configuration: ReplayConfiguration
  private let socket: DatagramSocket
  private var slots: SendSlots
  // Monotonic time of the first packet, and its own time.
  private var start: UInt64?
  private var firstTime = Timestamp.distantPast
  private var index: UInt64 = 0

  /// A replayer that can send from now on; the clock starts with the first packet.
  ///
  /// - Parameters:
  ///   - arena: gives `configuration.arenaBytes`.
  /// - Throws: `NetworkError` when the settings are wrong, the arena is full or the system refuses.
  public init(_ configuration: ReplayConfiguration, in arena: Arena) throws(NetworkError) {
    if let fault = configuration.fault() { throw .configuration(fault) }
    let slots = try SendSlots(
      count: configuration.batchMax, payloadBytesMax: configuration.payloadBytesMax, in: arena)
    let socket = try DatagramSocket(subject: "replay to \(configuration.endpoint)")
    try socket.set(martlet_net_send_room, 4 << 20, called: "SO_SNDBUF")
    if configuration.endpoint.address.isMulticast {
      try socket.sendMulticast(through: configuration.interface)
      // Heard on this machine too, and not beyond the next router.
      try socket.set(martlet_net_multicast_loop, 1, called: "IP_MULTICAST_LOOP")
      try socket.set(martlet_net_multicast_hops, 1, called: "IP_MULTICAST_TTL")
    }
    try socket.connect(to: configuration.endpoint)
    localEndpoint = try socket.localEndpoint()
    self.configuration = configuration
    self.slots = slots
    self.socket = socket
  }

  /// Sends a packet when it is due, which is waited for; `time` is its own time, for a replay at original times.
  ///
  /// It may stay with the replayer until the next packet or `finish`.
  ///
  /// - Returns: false for a packet that is too long, or too short for its stamp: it is counted and left out.
  @discardableResult public mutating func send(_ payload: RawSpan, at time: Timestamp) -> Bool {
    guard payload.byteCount <= configuration.payloadBytesMax,
      !configuration.stampsPackets || payload.byteCount >= 8
    else {
      counters.unfit += 1
      return false
    }
    let due = dueTime(of: time)
    if slots.isFull { flush() }
    if let due {
      let now = SystemClocks.monotonicNanoseconds
      if slots.pendingCount > 0, due > max(now, slots.due(0)) &+ configuration.coalescingNanoseconds { flush() }
      // The first of a batch is waited for; those that follow are due by then or soon after.
      if slots.pendingCount == 0 { wait(until: due) }
    }
    // A packet that is due at no time is due when it comes, and never late.
    slots.append(payload, due: due ?? .max)
    return true
  }

  /// Sends what is left.
  public mutating func finish() { flush() }

  /// Sends all `packets` and finishes.
  ///
  /// - Returns: what was sent so far.
  @discardableResult public mutating func replay(
    _ packets: some Sequence<(time: Timestamp, payload: [UInt8])>
  ) -> ReplayCounters {
    for packet in packets { send(packet.payload.rawBytes, at: packet.time) }
    finish()
    return counters
  }

  /// Monotonic nanoseconds at which the next packet is due, or nil for at once.
  private mutating func dueTime(of time: Timestamp) -> UInt64? {
    if configuration.pace == .asFastAsPossible { return nil }
    if start == nil {
      start = SystemClocks.monotonicNanoseconds
      firstTime = time
    }
    let offset: Double
    switch configuration.pace {
    case .original(let speed):
      // Subtracted as integers: a difference of hours is exact in a Double, an epoch time is not.
      let (elapsed, overflow) = time.nanoseconds.subtractingReportingOverflow(firstTime.nanoseconds)
      offset = overflow ? 0 : Double(elapsed) / speed
    case .packetsPerSecond(let rate): offset = Double(index) * 1e9 / rate
    case .asFastAsPossible: offset = 0
    }
    index += 1
    // A time before the first one is due at once.
    return start! + UInt64(min(max(0, offset), 4e18))
  }

  private func wait(until due: UInt64) {
    while true {
      let now = SystemClocks.monotonicNanoseconds
      guard now < due else { return }
      let left = due - now
      guard left > configuration.spinNanoseconds else {
        spinPause()
        continue
      }
      let nap = left - configuration.spinNanoseconds
      var request = timespec(tv_sec: Int(nap / 1_000_000_000), tv_nsec: Int(nap % 1_000_000_000))
      // Woken early, the loop looks again.
      unsafe nanosleep(&request, nil)
    }
  }

  /// Sends all that is pending.
  private mutating func flush() {
    let count = slots.pendingCount
    var first = 0
    var isRepeated = false
    let now = SystemClocks.monotonicNanoseconds
    if configuration.stampsPackets { slots.stamp(SystemClocks.wallNanoseconds) }
    while first < count {
      let sent = slots.send(through: socket, from: first)
      if sent > 0 {
        for place in first..<(first + sent) { counters.count(slots.length(place), due: slots.due(place), sent: now) }
        counters.calls += 1
        first += sent
        isRepeated = false
        continue
      }
      if -sent == EINTR { continue }
      if -sent == ECONNREFUSED, !isRepeated {
        // The answer to an earlier packet: nobody listened. This one was not tried yet.
        counters.unheard += 1
        isRepeated = true
        continue
      }
      counters.failed += 1
      lastFailure = NetworkError("sendmmsg", socket.subject, Int32(-sent))
      first += 1
      isRepeated = false
    }
    slots.clear()
  }
}
