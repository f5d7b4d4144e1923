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

/// The header of a downstream packet of MoldUDP64: session, sequence of the first message, count of messages.
///
/// - Source: NASDAQ MoldUDP64 protocol specification, version 1.00.
struct MoldHeader {
  static let byteCount = 20
  /// A count that ends the session.
  static let endOfSession: UInt16 = 0xFFFF
  private static let session = Array("LOOPBACK  ".utf8)

  var sequence: UInt64
  var count: UInt16

  init(sequence: UInt64, count: UInt16) {
    self.sequence = sequence
    self.count = count
  }

  /// The header at the start of `view`, or nil where there is none.
  init?(_ view: ByteView) {
    // The first eight characters of the session's name tell it from others.
    guard view.count >= Self.byteCount, view.littleEndian64(at: 0) == 0x4B43_4142_504F_4F4C else { return nil }
    sequence = view.bigEndian64(at: 10)
    count = view.bigEndian16(at: 18)
  }

  func write(to packet: inout [UInt8]) {
    for place in 0..<10 { packet[place] = Self.session[place] }
    for place in 0..<8 { packet[10 + place] = UInt8(truncatingIfNeeded: sequence >> UInt64(56 - 8 * place)) }
    packet[18] = UInt8(truncatingIfNeeded: count >> 8)
    packet[19] = UInt8(truncatingIfNeeded: count)
  }
}

/// Takes packets, finds gaps, decodes and applies messages, and measures how long after its stamps each packet was done.
struct MoldTarget: ~Copyable, @unchecked Sendable {
  private var decoder: ItchDecoder
  private var books: OrderBookSet
  private var sinceKernel: LatencyHistogram
  private var sinceSender: LatencyHistogram
  private let appliesBooks: Bool
  private var seen = LoopbackRun.Result()
  private var expected: UInt64 = 1
  private var hasEnded = false
  /// Of all changes of the books.
  private(set) var checksum: UInt64 = 0

  init(_ parameters: ItchFixture.Parameters, appliesBooks: Bool) throws {
    let symbols = parameters.symbolCount
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: symbols) + 1 << 20)
    decoder = ItchDecoder(
      midnight: ItchFixture.midnight, venue: VenueID(index: 0),
      map: InstrumentMap(discovering: symbols, in: arena), in: arena)
    books = try BookProof.makeBooks(
      BookCapacity(instruments: symbols, orders: max(131_072, parameters.liveOrderCount * 2)))
    sinceKernel = LatencyHistogram(in: arena)
    sinceSender = LatencyHistogram(in: arena)
    self.appliesBooks = appliesBooks
  }

  /// Receives until the session ends, or nothing has come for half a second although all was sent.
  mutating func receive(from receiver: inout PacketReceiver, isSent: () -> Bool) {
    var isCounting = false
    let preemptions = Self.preemptions()
    while !hasEnded {
      let wasSent = isSent()
      let batch = receiver.receive(waiting: SpinWait(), until: .after(milliseconds: 500), upTo: 32)
      if batch.count == 0, wasSent || batch.ending != .deadline { break }
      for index in 0..<batch.count { take(batch[index]) }
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

  private mutating func take(_ packet: ReceivedPacket) {
    guard let header = MoldHeader(ByteView(packet.bytes)), header.sequence >= expected, !packet.isTruncated,
      packet.bytes.byteCount >= MoldHeader.byteCount + 8
    else {
      seen.foreign += 1
      return
    }
    if header.sequence > expected {
      seen.gaps += 1
      seen.missing += header.sequence - expected
    }
    expected = header.sequence
    if header.count == MoldHeader.endOfSession {
      hasEnded = true
      return
    }
    let end = packet.bytes.byteCount - 8
    if appliesBooks {
      var frames = ItchFrames(packet.bytes.extracting(MoldHeader.byteCount..<end))
      while let message = frames.next() {
        apply(message, sequence: expected)
        expected += 1
      }
      seen.messages += expected - header.sequence
    } else {
      expected += UInt64(header.count)
      seen.messages += UInt64(header.count)
    }
    let now = SystemClocks.wallNanoseconds
    sinceKernel.record(now - packet.kernelTime.nanoseconds)
    sinceSender.record(now - Int64(bitPattern: ByteView(packet.bytes).littleEndian64(at: end)))
    seen.packets += 1
  }

  mutating func apply(_ message: ByteView, sequence: UInt64) {
    guard case .event(let event) = decoder.decode(message, sequence: sequence) else {
      seen.refused += 1
      return
    }
    let effect = books.apply(event)
    // Wrapping: a checksum, in which order matters.
    checksum = checksum &* 3 &+ (effect.depthChanged ? 2 : 1) &+ (effect.bestChanged ? 1 : 0)
  }

  /// What was seen, with the receiver's own counts.
  mutating func result(of receiver: inout PacketReceiver) -> LoopbackRun.Result {
    receiver.refreshDrops()
    seen.grant = receiver.grant.description
    seen.failure = receiver.failure
    seen.counters = receiver.counters
    seen.checksum = checksum
    seen.sinceKernel = Self.figures(sinceKernel)
    seen.sinceSender = Self.figures(sinceSender)
    return seen
  }

  private static func figures(_ histogram: borrowing LatencyHistogram) -> [Int64?] {
    var figures: [Int64?] = []
    for percentile in [Percentile.p50, .p90, .p99, .p999] { figures.append(histogram.percentile(percentile)) }
    figures.append(histogram.nanosecondsMax)
    return figures
  }
}
