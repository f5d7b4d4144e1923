public import LockFreeRings
internal import CNet
internal import CUring
internal import Glibc

/// Receives UDP datagrams, unicast or of a multicast group, and hands them out in place with the kernel's time stamps.
///
/// Through io_uring the kernel writes datagrams straight into a ring of provided buffers for as long as there are some (multishot
/// receive); without it they come by recvmmsg. What the caller sees is the same.
///
/// ```
/// let batch = receiver.receive(waiting: SpinWait())
/// for index in 0..<batch.count { decode(batch[index].bytes) }
/// ```
///
/// One thread receives: the first one that does, because the kernel finishes receives for that one only. The buffers of a batch are given back by the next call of `receive`. A thread of
/// its own should spin; one that shares its processor should park.
///
/// - Complexity: O(1) a datagram, no allocation after `init`. A spinning look is two loads with io_uring and one system call
///   without; a burst costs one system call in both.
public struct PacketReceiver: ~Copyable, @unchecked Sendable {
  /// Where it listens; the port is the one that the system chose if it was to.
  public let endpoint: UDPEndpoint
  // Calls: optimised code (Swift 6.3) that reads a stored `let` and hands the receiver on keeps no reference of its own, and would use what
  // another thread has freed.
  /// What was got of the wishes.
  public var grant: ReceiveGrant { @inline(never) get { ownGrant } }
  /// Stops it, from any thread, also once the receiver is gone.
  public var stopper: ReceiverStop { @inline(never) get { ownStopper } }
  /// What was seen so far.
  public private(set) var counters = ReceiveCounters()
  /// Why it ended by itself, or nil.
  public private(set) var failure: NetworkError?

  private var ring: ReceiveRing
  private let ownGrant: ReceiveGrant
  private let ownStopper: ReceiverStop
  private let socket: DatagramSocket
  private let slots: PacketSlots
  private let usesUring: Bool
  // Records of the last batch, whose slots are with the caller.
  private var heldCount = 0
  private var lastDrops: UInt32 = 0
  // The thread that receives, once one has.
  private var owner: pthread_t?

  /// A receiver that listens from now on.
  ///
  /// - Parameters:
  ///   - arena: gives `configuration.arenaBytes`.
  /// - Throws: `NetworkError` when the settings are wrong, the arena is full, or the system refuses what is not a mere wish.
  public init(_ configuration: ReceiveConfiguration, in arena: Arena) throws(NetworkError) {
    if let fault = configuration.fault() { throw .configuration(fault) }
    let slots = try PacketSlots(
      count: configuration.bufferCount, payloadBytesMax: configuration.payloadBytesMax, in: arena)
    let stopper = try ReceiverStop()
    var backend = "recvmmsg, as configured"
    let ring = try Self.ring(for: configuration, over: slots, &backend)
    let socket = try DatagramSocket(subject: "receiver at \(configuration.endpoint)")
    var grant = ReceiveGrant(
      backend: backend, usesUring: ring.exists, socketBytes: 0, busyPollMicroseconds: nil, hasStamps: false,
      refusals: [])
    try Self.wish(configuration, of: socket, &grant)
    let group = configuration.endpoint.address
    if group.isMulticast {
      // Several receivers of one machine may listen to a group, and none wants what another one joined.
      try socket.set(martlet_net_reuse, 1, called: "SO_REUSEADDR")
      try socket.set(martlet_net_all_groups, 0, called: "IP_MULTICAST_ALL")
    }
    try socket.bind(to: configuration.endpoint)
    if group.isMulticast { try socket.join(group, on: configuration.interface) }
    endpoint = try socket.localEndpoint()
    ownGrant = grant
    ownStopper = stopper
    usesUring = ring.exists
    self.ring = ring
    self.socket = socket
    self.slots = slots
  }

  private static func ring(
    for configuration: ReceiveConfiguration, over slots: PacketSlots, _ backend: inout String
  ) throws(NetworkError) -> ReceiveRing {
    guard configuration.way != .recvmmsg else { return ReceiveRing() }
    var refusal: Int32
    switch UringAbility.ofThisSystem() {
    case .multishot(let deferred):
      do {
        let ring = try ReceiveRing(over: slots, deferred: deferred)
        backend = "io_uring, multishot recvmsg" + (deferred ? "" : ", completions not deferred")
        return ring
      } catch { refusal = error.errorNumber }
    case .none(let errorNumber): refusal = errorNumber
    }
    let error = NetworkError("io_uring with multishot recvmsg", "receiver at \(configuration.endpoint)", refusal)
    guard configuration.way == .best else { throw error }
    backend = "recvmmsg: \(error)"
    return ReceiveRing()
  }

  private static func wish(
    _ configuration: ReceiveConfiguration, of socket: borrowing DatagramSocket, _ grant: inout ReceiveGrant
  ) throws(NetworkError) {
    try socket.set(martlet_net_receive_room, configuration.socketBytes, called: "SO_RCVBUF")
    grant.socketBytes = socket.value(of: martlet_net_receive_room)
    if grant.socketBytes < configuration.socketBytes {
      grant.refusals.append("socket room of \(configuration.socketBytes) bytes refused: \(grant.socketBytes) granted")
    }
    if let microseconds = configuration.busyPollMicroseconds {
      do {
        try socket.set(martlet_net_busy_poll, microseconds, called: "SO_BUSY_POLL")
        grant.busyPollMicroseconds = microseconds
      } catch { grant.refusals.append(error.description) }
    }
    do {
      try socket.set(martlet_net_stamps, 1, called: "SO_TIMESTAMPNS")
      grant.hasStamps = true
    } catch { grant.refusals.append(error.description) }
    do { try socket.set(martlet_net_drop_counts, 1, called: "SO_RXQ_OVFL") } catch {
      grant.refusals.append(error.description)
    }
  }

  /// The next datagrams, at most `limit`, as soon as there is one.
  ///
  /// What the batch before held is given back first. After `stopper.stop()` or a failure there are no more datagrams.
  ///
  /// - Parameters:
  ///   - waiting: what to do in between; parking sleeps in the kernel.
  ///   - deadline: when to give up; one that has passed makes this a single look.
  ///   - limit: keep it small where latency counts: a full batch is taken from the kernel before its first datagram is handed out.
  /// - Precondition: `limit > 0`, and always the same thread receives.
  @_lifetime(&self)
  @inlinable public mutating func receive<Wait: WaitStrategy>(
    waiting: Wait, until deadline: Deadline = .never, upTo limit: Int = 64
  ) -> PacketBatch {
    precondition(limit > 0, "PacketReceiver: at least one datagram is wanted")
    var count = 0
    var ending = begin()
    var attempt = 0
    while ending == .packets {
      count = look(limit)
      if count > 0 { break }
      ending = state(deadline)
      guard ending == .packets else { break }
      switch waiting.step(attempt: attempt) {
      case .spin: spinPause()
      case .yield: yieldThread()
      case .park: sleep(until: deadline)
      }
      // Wrapping: a wait of 2^63 looks takes millennia.
      attempt &+= 1
    }
    return batch(count, ending)
  }

  /// Gives the buffers of the last batch back without asking for more: for a caller that will not receive for a while.
  public mutating func giveBack() {
    guard heldCount > 0 else { return }
    if usesUring {
      for place in 0..<heldCount { ring.give(slots.slot(ofRecord: place), of: slots) }
      ring.publish()
    }
    heldCount = 0
  }

  /// Sends a datagram from this receiver's address, so that the answer comes here: a request to a retransmission server.
  ///
  /// - Throws: `NetworkError` where the system refuses it, a full socket included: a request is sent again by its line anyway.
  public func send(_ bytes: RawSpan, to server: UDPEndpoint) throws(NetworkError) {
    try socket.send(bytes, to: server)
  }

  /// Brings `counters.kernelDrops` up to date: without this, drops show with the next datagram that gets through.
  public mutating func refreshDrops() {
    if let drops = socket.drops() { count(drops: drops) }
  }

  /// Whether receiving may begin, after the last batch was given back.
  @usableFromInline mutating func begin() -> ReceiveEnding {
    let thread = pthread_self()
    precondition(owner == nil || owner == thread, "PacketReceiver: always the same thread receives")
    owner = thread
    giveBack()
    if failure != nil { return .failed }
    return ownStopper.isStopped ? .stopped : .packets
  }

  /// Why to end without a datagram, or `.packets` to go on.
  @usableFromInline func state(_ deadline: Deadline) -> ReceiveEnding {
    if failure != nil { return .failed }
    if ownStopper.isStopped { return .stopped }
    return deadline.hasPassed ? .deadline : .packets
  }

  /// Takes what is there, at most `limit`; how many datagrams.
  @usableFromInline mutating func look(_ limit: Int) -> Int {
    let count = usesUring ? lookIntoRing(min(limit, slots.count)) : lookIntoSocket(min(limit, slots.count))
    heldCount = count
    if count > 0 { counters.batches &+= 1 }
    return count
  }

  private mutating func lookIntoSocket(_ limit: Int) -> Int {
    // In bounds: the table has a message for every slot.
    let count = Int(unsafe martlet_net_receive(slots.table, socket.file, UInt32(limit)))
    if count < 0 {
      // An interrupted look found nothing; an error of another datagram is none of ours.
      if ![EAGAIN, EINTR, ECONNREFUSED].contains(Int32(-count)) { fail("recvmmsg", Int32(-count)) }
      return 0
    }
    if count == slots.count { counters.buffersExhausted &+= 1 }
    for place in 0..<count { describe(slot: place, at: place) }
    return count
  }

  private mutating func lookIntoRing(_ limit: Int) -> Int {
    if !ring.isArmed {
      let refusal = ring.arm(socket: socket.file, event: ownStopper.event)
      if refusal != 0 {
        fail("io_uring", refusal)
        return 0
      }
    }
    var count = 0
    for place in 0..<ring.take(limit, into: slots) {
      let completion = ring.completion(place, of: slots)
      // The event is no datagram: the receiver was stopped.
      guard completion.is_receive else { continue }
      if !completion.has_more { disarmed(by: completion.result) }
      guard completion.has_buffer else { continue }
      if completion.result >= Int32(martlet_net_payload_offset) {
        describe(slot: Int(completion.buffer), at: count)
        count += 1
      } else {
        ring.give(Int(completion.buffer), of: slots)
        ring.publish()
      }
    }
    return count
  }

  /// The kernel has ended the receive; the next look arms it again unless the reason will stay.
  private mutating func disarmed(by result: Int32) {
    ring.disarmed()
    if result == -ENOBUFS {
      counters.buffersExhausted &+= 1
    } else if result < 0, ![EAGAIN, EINTR, ECONNREFUSED].contains(-result) {
      fail("multishot recvmsg", -result)
    }
  }

  private mutating func describe(slot: Int, at place: Int) {
    let read = slots.describe(slot: slot, at: place)
    // Wrapping, here and below: counts of datagrams and their bytes do not reach 2^64.
    counters.packets &+= 1
    counters.bytes &+= UInt64(read.payload_bytes)
    if read.wire_bytes > read.payload_bytes { counters.truncated &+= 1 }
    if read.stamp == 0 { counters.unstamped &+= 1 }
    if read.has_drops { count(drops: read.drops) }
  }

  private mutating func count(drops: UInt32) {
    // The kernel's count wraps, and one that came with a datagram may be older than one asked for since.
    let more = Int32(bitPattern: drops &- lastDrops)
    guard more > 0 else { return }
    counters.kernelDrops &+= UInt64(more)
    lastDrops = drops
  }

  /// Sleeps in the kernel until there is something, the receiver is stopped, or the deadline.
  @usableFromInline mutating func sleep(until deadline: Deadline) {
    var left: UInt64?
    if deadline != .never {
      let now = SystemClocks.monotonicNanoseconds
      guard deadline.monotonicNanoseconds > now else { return }
      left = deadline.monotonicNanoseconds - now
    }
    counters.sleeps &+= 1
    if usesUring {
      // Back to the caller where the receive has to be armed first.
      guard ring.isArmed else { return }
      let answer = ring.wait(nanoseconds: left)
      if ![0, ETIME, EINTR, EAGAIN].contains(answer) { fail("wait of io_uring", answer) }
    } else {
      let answer = -martlet_net_wait(socket.file, ownStopper.event, left.map { Int64(clamping: $0) } ?? -1)
      if answer > 0, answer != EINTR { fail("ppoll", answer) }
    }
  }

  private mutating func fail(_ operation: String, _ errorNumber: Int32) {
    failure = NetworkError(operation, socket.subject, errorNumber)
  }

  /// The datagrams that were looked up last.
  @_lifetime(&self)
  @usableFromInline mutating func batch(_ count: Int, _ ending: ReceiveEnding) -> PacketBatch {
    // The memory lives as long as the receiver, and the records stay as they are until it is used again.
    let batch = unsafe PacketBatch(
      unsafeRecords: slots.records, payloads: slots.payloads, stride: slots.stride, count: count, ending: ending)
    return unsafe _overrideLifetime(batch, mutating: &self)
  }
}
