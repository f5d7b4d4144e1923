import BacktestHarness
import EngineTelemetry
import FixtureStreams
import LockFreeRings
import MarketIngest
import TestSupport
import TradingEngine
import TradingTypes

/// A generated day in MoldUDP64 packets, one in twenty of which is lost, through line and pipeline, on a clock of its own.
struct LossyRun {
  /// What came out.
  struct Result {
    var decisions: [Decision] = []
    var orders: [[Int64]] = []
    var state = LineState.stale
    var lost: UInt64 = 0
    /// Orders that went out while the line had a gap.
    var routedWhileMissing = 0
  }

  /// A server sends again what is asked for.
  let answers: Bool
  /// The host goes on behind what is lost.
  var skipsLost = false
  /// One packet only does not come at once, but 200 ms later.
  var latePacket = false
  private(set) var lostPackets = 0
  /// Number of the first message that did not come at once.
  private(set) var firstLost = UInt64.max
  private let day: GeneratedDay
  private var random: SplitMix64

  static let session = MoldSession(high: 7, low: 7)
  /// Nanoseconds between packets.
  static let slot: Int64 = 100_000

  init(seed: UInt64, answers: Bool) throws {
    day = try GeneratedDay(seed: seed, messages: 9_000)
    random = SplitMix64(seed: seed)
    self.answers = answers
  }

  /// Orders of all books in priority order at the end of the whole day.
  static func wholeDay(seed: UInt64) throws -> [[Int64]] {
    let day = try GeneratedDay(seed: seed, messages: 9_000)
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink(), control: nil)
    for (place, body) in day.bodies.enumerated() {
      pipeline.ingest(ByteView(body.span), sequence: UInt64(place + 1))
    }
    return orders(pipeline)
  }

  static func orders(_ pipeline: borrowing ReplayPipeline<NoProbe, RecordingSink>) -> [[Int64]] {
    var orders: [[Int64]] = []
    for index in 0..<4 as Range<UInt32> {
      for side in [Side.buy, .sell] {
        pipeline.books.orders(of: InstrumentID(index: index), side: side) {
          orders.append([Int64(index), Int64($0.reference.value), $0.price.nanos, $0.quantity.lots])
        }
      }
    }
    return orders
  }

  private static func packet(_ bodies: [[UInt8]], from first: Int) -> [UInt8] {
    let header = MoldHeader(session: session, firstSequence: UInt64(first + 1), count: UInt16(bodies.count)).bytes
    return (0..<20).map { header[$0] } + bodies.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
  }

  mutating func run() throws -> Result {
    // Room for what comes meanwhile.
    let configuration = try LineConfiguration(
      windowMessages: latePacket ? 8_192 : 1_024, patience: .milliseconds(1))
    let arena = Arena(
      capacityBytes: configuration.arenaBytes + InstrumentMap.byteCount(capacity: 4) + 65_536)
    var feed = ItchLine(
      arbiter: LineArbiter(configuration, in: arena),
      decoder: ItchDecoder(
        midnight: ItchFixture.midnight, venue: VenueID(index: 0),
        map: try InstrumentMap(listed: day.setup.directory.instruments.map(\.symbol), in: arena), in: arena))
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink(), control: nil)
    var result = Result()
    var pending: [(time: Int64, bytes: [UInt8])] = []
    let bodies = day.bodies
    var place = 0
    var now: Int64 = 0

    func receive(_ bytes: [UInt8]) {
      let wasMissing = feed.arbiter.state != .valid
      let ordersBefore = pipeline.counts.orders
      pipeline.ingest(ByteView(bytes.span), of: &feed, line: 0, at: Timestamp(nanoseconds: now))
      if wasMissing, feed.arbiter.state != .valid {
        result.routedWhileMissing += Int(pipeline.counts.orders - ordersBefore)
      }
    }

    while place < bodies.count || !pending.isEmpty || feed.arbiter.nextDeadline != nil {
      now += Self.slot
      while let next = pending.first, next.time <= now {
        pending.removeFirst()
        receive(next.bytes)
      }
      if place < bodies.count {
        let count = min(1 + random.below(3), bodies.count - place)
        // The last packet comes, so that every loss is noticed without heartbeats.
        let isLost = latePacket ? lostPackets == 0 : random.below(20) == 0
        if isLost, place > 2_000, place + count < bodies.count {
          lostPackets += 1
          if latePacket {
            pending.append((now + 200_000_000, Self.packet(Array(bodies[place..<place + count]), from: place)))
          }
          firstLost = min(firstLost, UInt64(place + 1))
        } else {
          receive(Self.packet(Array(bodies[place..<place + count]), from: place))
        }
        place += count
      }
      while let action = pipeline.nextAction(of: &feed, at: Timestamp(nanoseconds: now)) {
        switch action {
        case .request(let header):
          guard answers else { continue }
          let first = Int(header.firstSequence) - 1
          let end = min(first + Int(header.count), bodies.count)
          pending.append((now + 500_000, Self.packet(Array(bodies[first..<end]), from: first)))
        case .lost(_, let count):
          result.lost += count
          guard skipsLost else { continue }
          feed.arbiter.skipLost()
          pipeline.ingestHeld(of: &feed)
        case .stateChanged, .sessionEnded: break
        }
      }
    }
    result.decisions = pipeline.sink.decisions
    result.orders = Self.orders(pipeline)
    result.state = pipeline.line
    return result
  }
}

extension GeneratedDay {
  /// The bodies of its messages.
  var bodies: [[UInt8]] {
    var frames = ItchFrames(bytes.span)
    var bodies: [[UInt8]] = []
    while let body = frames.next() { bodies.append((0..<body.count).map { body.byte(at: $0) }) }
    return bodies
  }
}

/// Decodes a day's messages as the pipeline does.
struct DecodedDay: ~Copyable {
  private var decoder: ItchDecoder
  private var sequence: UInt64 = 0

  init(_ day: GeneratedDay) throws {
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: 4) + 65_536)
    decoder = ItchDecoder(
      midnight: ItchFixture.midnight, venue: VenueID(index: 0),
      map: try InstrumentMap(listed: day.setup.directory.instruments.map(\.symbol), in: arena), in: arena)
  }

  mutating func decode(_ body: [UInt8]) -> MarketEvent? {
    sequence += 1
    return decoder.decode(ByteView(body.span), sequence: sequence).event
  }
}
