import CAllocationCounter
import EngineTelemetry
import FixtureStreams
import Glibc
import LockFreeRings
import MarketIngest
import MarketReceive
import OrderBooks
import TestSupport
import TradingTypes

/// Messages in order into books.
struct LiveBooks: ~Copyable, @unchecked Sendable {
  private var decoder: ItchDecoder
  private var books: OrderBookSet
  /// Messages applied.
  private(set) var count: UInt64 = 0
  /// Messages that were not the next one.
  private(set) var misplaced: UInt64 = 0
  /// Messages that gave no event.
  private(set) var refused: UInt64 = 0
  /// Of all changes of the books.
  private(set) var checksum: UInt64 = 0

  init(_ parameters: ItchFixture.Parameters) throws {
    let symbols = parameters.symbolCount
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: symbols) + 1 << 20)
    decoder = ItchDecoder(
      midnight: ItchFixture.midnight, venue: VenueID(index: 0),
      map: InstrumentMap(discovering: symbols, in: arena), in: arena)
    books = try BookProof.makeBooks(
      BookCapacity(instruments: symbols, orders: max(131_072, parameters.liveOrderCount * 2)))
  }

  mutating func apply(_ message: ByteView, sequence: UInt64) {
    count += 1
    if sequence != count { misplaced += 1 }
    guard case .event(let event) = decoder.decode(message, sequence: sequence) else {
      refused += 1
      return
    }
    let effect = books.apply(event)
    // Wrapping: a checksum, in which order matters.
    checksum = checksum &* 3 &+ (effect.depthChanged ? 2 : 1) &+ (effect.bestChanged ? 1 : 0)
  }
}

/// The receiving side: a line over packets and answers, which asks for what is missing, and books; how long after its stamp each was done.
struct LiveTarget: ~Copyable, @unchecked Sendable {
  /// A message that waits for its turn in the line's window.
  private struct Waiting: BitwiseCopyable {
    var stamp: Int64
    var isRecovered: Bool
  }

  /// Lines of the arbiter.
  private static let stream = 0
  private static let server = 1

  private var arbiter: LineArbiter
  private var books: LiveBooks
  private var requests: PacketReplayer
  private let streamEndpoint: UDPEndpoint
  private var waiting: Slab<Waiting>
  private var sinceKernel: LatencyHistogram
  private var sinceSender: LatencyHistogram
  private var held: LatencyHistogram
  private var recovered: LatencyHistogram
  private var seen = LoopbackRun.Result()
  private var expected: UInt64 = 1

  init(_ parameters: ItchFixture.Parameters, stream: UDPEndpoint, server: UDPEndpoint) throws {
    // Six requests wait for 1.3 s in all: on a busy machine the server's thread may not run for a quarter of a second.
    let line = try LineConfiguration(windowMessages: 65_536, patience: .milliseconds(1), tryCountMax: 6)
    let asking = ReplayConfiguration(server, pace: .asFastAsPossible)
    let arena = Arena(capacityBytes: line.arenaBytes + asking.arenaBytes + 4 << 20)
    let books = try LiveBooks(parameters)
    requests = try PacketReplayer(asking, in: arena)
    arbiter = LineArbiter(line, in: arena)
    waiting = Slab(repeating: Waiting(stamp: 0, isRecovered: false), count: line.windowMessages, in: arena)
    sinceKernel = LatencyHistogram(in: arena)
    sinceSender = LatencyHistogram(in: arena)
    held = LatencyHistogram(in: arena)
    recovered = LatencyHistogram(in: arena)
    self.books = books
    streamEndpoint = stream
  }

  /// Receives until the session has ended and all that can be had of it is there, or the receiver is stopped.
  mutating func receive(from receiver: inout PacketReceiver) {
    var isCounting = false
    let preemptions = Self.preemptions()
    while !seen.hasEnded {
      let deadline = arbiter.nextDeadline.map { Deadline(monotonicNanoseconds: UInt64($0.nanoseconds)) } ?? .never
      let batch = receiver.receive(waiting: SpinWait(), until: deadline, upTo: 32)
      guard batch.count > 0 || batch.ending == .deadline else { break }
      let now = Timestamp(nanoseconds: Int64(SystemClocks.monotonicNanoseconds))
      for index in 0..<batch.count { take(batch[index], at: now) }
      act(at: now)
      // Every path has been taken by then.
      if !isCounting, seen.packets >= 1_000 {
        isCounting = true
        martlet_count_begin()
      }
    }
    seen.preemptions = Self.preemptions() - preemptions
    if isCounting {
      let counts = martlet_count_end()
      if countsAllocations { seen.allocations = counts.allocations }
    }
  }

  /// How often the calling thread had to give its processor up to another.
  private static func preemptions() -> Int {
    var usage = rusage()
    // 1 is RUSAGE_THREAD, whose name is no constant to Swift.
    unsafe getrusage(1, &usage)
    return usage.ru_nivcsw
  }

  private mutating func take(_ received: ReceivedPacket, at now: Timestamp) {
    let end = received.bytes.byteCount - 8
    let line = received.source == streamEndpoint ? Self.stream : Self.server
    guard end >= 0, !received.isTruncated,
      var packet = arbiter.packet(in: ByteView(received.bytes.extracting(0..<end)), line: line),
      arbiter.open(packet.header, line: line, at: now) == .accepted
    else {
      seen.foreign += 1
      return
    }
    if line == Self.stream { look(for: packet.header) }
    let stamp = Int64(bitPattern: ByteView(received.bytes).littleEndian64(at: end))
    let before = books.count
    var sequence = packet.nextSequence
    while let message = packet.next() {
      switch arbiter.accept(message, sequence: sequence, line: line) {
      case .deliver: books.apply(message, sequence: sequence)
      case .held: waiting[masked: Int(sequence)] = Waiting(stamp: stamp, isRecovered: line == Self.server)
      case .duplicate, .refused: break
      }
      sequence = packet.nextSequence
    }
    let delivered = books.count - before
    guard delivered > 0 else { return }
    let done = SystemClocks.wallNanoseconds
    if line == Self.stream {
      sinceKernel.record(done - received.kernelTime.nanoseconds)
      sinceSender.record(done - stamp)
    } else {
      for _ in 0..<delivered { recovered.record(done - stamp) }
    }
    applyHeld()
  }

  /// Counts what the stream's packets leave out, apart from what the line thinks of it.
  private mutating func look(for header: MoldHeader) {
    if header.messageCount > 0 { seen.packets += 1 }
    if header.firstSequence > expected {
      if seen.gaps == 0 { seen.firstMissing = expected }
      seen.gaps += 1
      seen.missing += header.firstSequence - expected
    }
    expected = max(expected, header.firstSequence + UInt64(header.messageCount))
  }

  /// Applies the messages whose turn has come.
  private mutating func applyHeld() {
    while let sequence = arbiter.nextHeld() {
      Self.apply(sequence, heldBy: arbiter, to: &books)
      let waited = waiting[masked: Int(sequence)]
      let nanoseconds = SystemClocks.wallNanoseconds - waited.stamp
      if waited.isRecovered { recovered.record(nanoseconds) } else { held.record(nanoseconds) }
    }
  }

  /// Apart, because the message borrows the arbiter while the books change.
  private static func apply(_ sequence: UInt64, heldBy arbiter: borrowing LineArbiter, to books: inout LiveBooks) {
    books.apply(arbiter.heldMessage, sequence: sequence)
  }

  /// Does what the line wants.
  private mutating func act(at now: Timestamp) {
    while let action = arbiter.nextAction(at: now) {
      switch action {
      case .request(let header):
        let bytes = header.bytes
        requests.send(bytes.span.rawBytes, at: .distantPast)
        requests.finish()
      case .sessionEnded: seen.hasEnded = true
      case .lost, .stateChanged: break
      }
    }
  }

  /// What was seen, with the receiver's own counts.
  mutating func result(of receiver: inout PacketReceiver) -> LoopbackRun.Result {
    receiver.refreshDrops()
    seen.grant = receiver.grant.description
    seen.failure = receiver.failure ?? requests.lastFailure
    seen.counters = receiver.counters
    seen.state = arbiter.state
    seen.requests = arbiter.requestCount
    seen.lost = arbiter.lostCount
    seen.stream = arbiter.counters(line: Self.stream)
    seen.server = arbiter.counters(line: Self.server)
    seen.messages = books.count
    seen.misplaced = books.misplaced
    seen.refused = books.refused
    seen.checksum = books.checksum
    seen.sinceKernel = LiveLatency(sinceKernel)
    seen.sinceSender = LiveLatency(sinceSender)
    seen.held = LiveLatency(held)
    seen.recovered = LiveLatency(recovered)
    return seen
  }
}

/// How many were measured, and p50, p90, p99, p99.9 and the largest in nanoseconds.
struct LiveLatency: Sendable, CustomStringConvertible {
  var count: UInt64 = 0
  var figures: [Int64?] = []

  init() {}

  init(_ histogram: borrowing LatencyHistogram) {
    count = histogram.count
    for percentile in [Percentile.p50, .p90, .p99, .p999] { figures.append(histogram.percentile(percentile)) }
    figures.append(histogram.nanosecondsMax)
  }

  static func micro(_ nanoseconds: Int64?) -> String {
    nanoseconds.map { "\((Double($0) / 100).rounded() / 10)" } ?? "-"
  }

  var description: String { figures.map(Self.micro).joined(separator: " / ") }
}
