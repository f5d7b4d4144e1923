import FixtureStreams
import LockFreeRings
import OrderBooks
import TradingTypes

@testable import MarketIngest

/// What a simulated pair of lines does to its packets, and what stands behind it.
struct LineFaults {
  /// In thousandths: lost on both lines at once, lost on one, sent twice, late by up to `lateMax` packets.
  var lostOnBoth = 50
  var lostOnOne = 50
  var repeated = 50
  var late = 100
  var lateMax = 1_000
  /// In thousandths: requests and answers lost; nil for no server.
  var serverLoss: Int? = 50
  /// A snapshot can be had when something is lost.
  var hasSnapshots = true
  /// Messages that can be held.
  var windowMessages = 1_024
  /// The arbiter forgets one held message.
  var forgetsOne = false
}

/// A generated day over two lines with faults into books, on a clock of its own: a seed gives the same run again.
struct LineSimulation {
  /// Orders of every book in priority order: reference, price, lots.
  typealias Orders = [[[Int64]]]

  /// What came out.
  struct Result {
    var orders: Orders = []
    var state = LineState.stale
    var sequences: [UInt64] = []
    var staleBooks = 0
    var hasEnded = false
    var requests: UInt64 = 0
    var lost: UInt64 = 0
    var snapshots = 0
    var counters: [LineCounters] = []
    var fault: String?
  }

  struct Arrival {
    var time: Int64
    var number: Int
    var line: Int
    var bytes: [UInt8]
  }

  static let session = MoldSession("0000000001") ?? MoldSession(high: 0, low: 0)
  /// Nanoseconds between packets.
  static let slot: Int64 = 10_000

  let bodies: [[UInt8]]
  let symbols: [Symbol]
  var random: SplitMix64
  var faults: LineFaults
  // Latest first, so that the next one is the last.
  var queue: [Arrival] = []
  var arrivalCount = 0
  /// When each message was sent.
  var sent: [Int64] = []

  init(seed: UInt64, messages: Int = 400, faults: LineFaults = LineFaults()) {
    let fixture = ItchFixture(.init(seed: seed, messages: messages, symbols: 3))
    let stream = fixture.generate()
    var frames = ItchFrames(stream.span)
    var bodies: [[UInt8]] = []
    while let body = frames.next() { bodies.append((0..<body.count).map { body.byte(at: $0) }) }
    self.bodies = bodies
    symbols = fixture.symbols
    random = SplitMix64(seed: seed ^ 0xA5A5)
    self.faults = faults
    send()
  }

  mutating func happens(_ thousandths: Int) -> Bool { random.below(1_000) < thousandths }

  mutating func arrive(_ bytes: [UInt8], line: Int, at time: Int64) {
    arrivalCount += 1
    let arrival = Arrival(time: time, number: arrivalCount, line: line, bytes: bytes)
    var low = 0
    var high = queue.count
    while low < high {
      let middle = (low + high) / 2
      if queue[middle].time > time { low = middle + 1 } else { high = middle }
    }
    queue.insert(arrival, at: low)
  }

  func packet(_ first: Int, _ count: Int) -> [UInt8] {
    moldPacket(session: Self.session, first: UInt64(first + 1), Array(bodies[first..<(first + count)]))
  }

  /// All packets of the day on both lines, with heartbeats in between and the end of the session behind.
  private mutating func send() {
    var place = 0
    var time: Int64 = 0
    while place < bodies.count {
      let count = min(1 + random.below(3), bodies.count - place)
      let bytes = packet(place, count)
      for _ in 0..<count { sent.append(time) }
      place += count
      let isLost = happens(faults.lostOnBoth)
      for line in 0..<2 where !isLost && !happens(faults.lostOnOne) {
        for _ in 0..<(happens(faults.repeated) ? 2 : 1) {
          let late = happens(faults.late) ? Int64(random.below(faults.lateMax + 1)) : 0
          arrive(bytes, line: line, at: time + late * Self.slot + Int64(random.below(Int(2 * Self.slot))))
        }
      }
      if happens(20) {
        arrive(moldPacket(session: Self.session, first: UInt64(place + 1), []), line: random.below(2), at: time)
      }
      time += Self.slot
    }
    for number in 0..<10 {
      let end = moldPacket(session: Self.session, first: UInt64(place + 1), [], count: MoldHeader.endOfSession)
      arrive(end, line: number & 1, at: time + Int64(number) * 1_000_000)
    }
  }

  /// What the retransmission server answers.
  mutating func answer(_ request: MoldHeader, at now: Int64) {
    let encoded = request.bytes
    let bytes = (0..<20).map { encoded[$0] }
    guard let loss = faults.serverLoss, !happens(loss), let read = MoldHeader(ByteView(bytes.span)) else { return }
    var first = Int(read.firstSequence) - 1
    let end = min(first + Int(read.count), bodies.count)
    while first < end {
      let count = min(end - first, 10)
      if !happens(loss) { arrive(packet(first, count), line: 2, at: now + 500_000 + Int64(random.below(4_000_000))) }
      first += count
    }
  }

  static func makeBooks() throws -> OrderBookSet {
    let capacity = try BookCapacity(instruments: 3, orders: 1_024, pages: 64, levels: 1_024, windowTicks: 64)
    return try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes))
  }

  static func orders(_ books: borrowing OrderBookSet) -> Orders {
    var all: Orders = []
    for id in 0..<3 as Range<UInt32> {
      for side in [Side.buy, .sell] {
        var queue: [[Int64]] = []
        books.orders(of: InstrumentID(index: id), side: side) {
          queue.append([Int64($0.reference.value), $0.price.nanos, $0.quantity.lots])
        }
        all.append(queue)
      }
    }
    return all
  }

  /// The books after the first `count` messages of the lossless stream.
  func lossless(_ count: Int? = nil) throws -> Orders {
    var bench = try DecoderBench(listed: symbols.map(\.description))
    var books = try Self.makeBooks()
    for (place, body) in bodies.prefix(count ?? bodies.count).enumerated() {
      if let event = bench.decoder.decode(ByteView(body.span), sequence: UInt64(place + 1)).event {
        _ = books.apply(event)
      }
    }
    return Self.orders(books)
  }

  /// Replaces the books by the lossless ones after message `sequence`.
  func restore(_ books: inout OrderBookSet, sequence: UInt64) throws {
    for (row, queue) in try lossless(Int(sequence)).enumerated() {
      let id = InstrumentID(index: UInt32(row / 2))
      let time = Timestamp(nanoseconds: 0)
      if row % 2 == 0 { _ = books.apply(MarketEvent(kind: .clearBook, time: time, instrument: id)) }
      for order in queue {
        _ = books.apply(
          MarketEvent(
            kind: .addOrder, time: time, instrument: id, reference: OrderReference(value: UInt64(order[0])),
            side: row % 2 == 0 ? .buy : .sell, price: Price(nanos: order[1]), quantity: Quantity(lots: order[2])))
      }
      books.clearStale(id)
    }
  }

  mutating func run() throws -> Result {
    var bench = try DecoderBench(listed: symbols.map(\.description))
    var books = try Self.makeBooks()
    let configuration = try LineConfiguration(
      windowMessages: faults.windowMessages, gapCountMax: 16, patience: .milliseconds(1))
    var arbiter = LineArbiter(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
    var result = Result()
    var now: Int64 = 0
    var snapshotTime: Int64?
    var hasForgotten = false

    func use(_ body: ByteView, _ sequence: UInt64) {
      result.sequences.append(sequence)
      if let event = bench.decoder.decode(body, sequence: sequence).event { _ = books.apply(event) }
    }

    while true {
      // The earliest of a packet, a deadline and a snapshot.
      let deadline = arbiter.nextDeadline?.nanoseconds
      guard let next = [queue.last?.time, deadline, snapshotTime].compactMap({ $0 }).min() else { break }
      now = max(now, next)
      if let time = snapshotTime, time <= now {
        snapshotTime = nil
        let sequence = UInt64(sent.count { $0 <= now })
        let answer = arbiter.beginSnapshot(sequence: sequence)
        if answer == .started {
          try restore(&books, sequence: sequence)
          arbiter.endSnapshot()
          result.snapshots += 1
        } else if arbiter.state == .stale {
          snapshotTime = now + 2_000_000
        }
      } else if let arrival = queue.last, arrival.time <= now {
        queue.removeLast()
        if var packet = arbiter.packet(in: ByteView(arrival.bytes.span), line: arrival.line),
          arbiter.open(packet.header, line: arrival.line, at: Timestamp(nanoseconds: now)) != .refused
        {
          var sequence = packet.nextSequence
          while let body = packet.next() {
            if arbiter.accept(body, sequence: sequence, line: arrival.line) == .deliver { use(body, sequence) }
            sequence = packet.nextSequence
          }
        }
        if faults.forgetsOne, !hasForgotten, now > 1_000_000 { hasForgotten = arbiter.forgetHighestHeld() }
      }
      while let sequence = arbiter.nextHeld() { use(arbiter.heldMessage, sequence) }
      while let action = arbiter.nextAction(at: Timestamp(nanoseconds: now)) {
        switch action {
        case .request(let request): answer(request, at: now)
        case .lost:
          for id in 0..<3 as Range<UInt32> { books.markStale(InstrumentID(index: id)) }
          if faults.hasSnapshots { snapshotTime = now + 2_000_000 }
        case .stateChanged(let state): result.state = state
        case .sessionEnded: result.hasEnded = true
        }
      }
      if let fault = arbiter.checkInvariants(), result.fault == nil { result.fault = fault }
    }
    result.orders = Self.orders(books)
    result.staleBooks = (0..<3 as Range<UInt32>).count { books.isStale(InstrumentID(index: $0)) }
    result.requests = arbiter.requestCount
    result.lost = arbiter.lostCount
    for line in 0..<3 { result.counters.append(arbiter.counters(line: line)) }
    return result
  }
}
