import FixtureStreams
import MarketIngest
import TestSupport
import Testing
import TradingTypes

// Goal: a generated stream is a market, the same one everywhere. Method: decode it into an independent little book that
// notes every broken rule; compare digests; count.
@Suite struct ItchFixtureTests {
  /// A stream read back.
  struct Reading {
    var books: [LittleBook]
    var counters = ItchCounters()
    var times: [Int64] = []
    var references: [UInt64] = []
    /// Orders at rest after each message.
    var live: [Int] = []
    var bestChanges = 0
    var spreads: [Int: Int] = [:]
    var spreadCount = 0
    var ending = ItchFrames.Ending.unread
    var refused = 0
  }

  static func read(_ fixture: ItchFixture) throws -> Reading {
    let stream = fixture.generate()
    var bench = try DecoderBench(listed: fixture.symbols.map(\.description))
    var reading = Reading(books: fixture.symbols.map { _ in LittleBook() })
    var frames = ItchFrames(stream.span)
    var sequence: UInt64 = 0
    var live = 0
    while let body = frames.next() {
      sequence += 1
      guard let event = bench.decoder.decode(body, sequence: sequence).event else {
        reading.refused += 1
        continue
      }
      reading.times.append(event.time.nanoseconds - DecoderBench.midnight.nanoseconds)
      if event.kind.changesBook, event.instrument != .none {
        let index = Int(event.instrument.index)
        func top() -> [Int64?] {
          [
            reading.books[index].price(.buy), reading.books[index].shares(.buy), reading.books[index].price(.sell),
            reading.books[index].shares(.sell),
          ]
        }
        let before = top()
        live -= reading.books[index].orders.count
        reading.books[index].apply(event)
        live += reading.books[index].orders.count
        let after = top()
        if after != before { reading.bestChanges += 1 }
        if let bid = after[0], let ask = after[2], reading.times.count > fixture.parameters.messageCount / 10 {
          reading.spreads[Int((ask - bid) / 10_000_000), default: 0] += 1
          reading.spreadCount += 1
        }
        if event.kind == .addOrder { reading.references.append(event.reference.value) }
        if event.kind == .replaceOrder { reading.references.append(event.newReference.value) }
      }
      reading.live.append(live)
    }
    reading.counters = bench.decoder.counters
    reading.ending = frames.ending
    return reading
  }

  @Test func `the bytes of a small stream are the golden ones`() {
    let fixture = ItchFixture(ItchFixture.Parameters(seed: 1, messages: 20_000, symbols: 10))
    var digest = SHA256()
    digest.combine(fixture.generate())
    #expect(digest.hex == "cf6dc23817ddafad50280e85fd46e4bcded4c61aa6722b8011d41558db2bce6a")
  }

  @Test func `a seed gives the same bytes again, another seed others`() {
    let streams = [7, 7, 8].map { ItchFixture(.init(seed: $0, messages: 2_000, symbols: 3)).generate() }
    #expect(streams[0] == streams[1])
    #expect(streams[0] != streams[2])
  }

  @Test(
    arguments: [
      (64, 1, nil), (64, 4, nil), (5_000, 300, nil), (20_000, 2, nil), (3_000, 1, 300), (6_000, 20, 0),
      (20_000, 50, 2_000),
    ] as [(Int, Int, Int?)])
  func `no stream breaks a rule of its books`(messages: Int, symbols: Int, live: Int?) throws {
    for seed in Seeds.brief.prefix(2) {
      let fixture = ItchFixture(.init(seed: seed, messages: messages, symbols: symbols, liveOrders: live))
      let reading = try Self.read(fixture)
      #expect(reading.times.count == messages, "seed \(seed)")
      #expect(reading.refused == 0 && reading.ending == .end, "seed \(seed)")
      let faults = reading.books.flatMap(\.faults)
      #expect(faults.isEmpty, "seed \(seed): \(faults.prefix(3))")
      #expect(reading.times == reading.times.sorted(), "seed \(seed)")
      #expect(reading.references == reading.references.sorted(), "seed \(seed)")
      #expect(reading.times.first == ItchFixture.openNanoseconds && reading.times.last == ItchFixture.closeNanoseconds)
    }
  }

  @Test func `a stream has the stated mix, live orders and spreads`() throws {
    let messages = 60_000
    let fixture = ItchFixture(.init(seed: 3, messages: messages, symbols: 5))
    let reading = try Self.read(fixture)
    func share(_ types: [Unicode.Scalar]) -> Double {
      100 * Double(types.reduce(0) { $0 + reading.counters.events(of: $1) }) / Double(messages)
    }
    let mix: [([Unicode.Scalar], Double, Double)] = [
      (["A", "F"], 46.5, 0.5), (["D"], 42.8, 0.5), (["U"], 7.0, 0.3), (["E", "C"], 2.9, 0.2), (["X"], 0.5, 0.1),
      (["P", "B", "I"], 0.3, 0.1),
    ]
    for (types, expected, tolerance) in mix {
      #expect(abs(share(types) - expected) < tolerance, "\(types): \(share(types)) %")
    }
    for type in ["A", "F", "E", "C", "X", "D", "U", "P", "Q", "I", "B", "S", "R", "H"] as [Unicode.Scalar] {
      #expect(reading.counters.events(of: type) > 0, "\(type)")
    }
    let target = fixture.parameters.liveOrderCount
    #expect(target == 972)
    #expect(reading.live[messages * 6 / 100] > target * 9 / 10)
    let late = reading.live[(messages / 10)...]
    #expect(late.allSatisfy { abs($0 - target) < target / 10 }, "\(late.min() ?? 0) to \(late.max() ?? 0)")
    let changes = Double(reading.bestChanges) / Double(messages)
    #expect(changes > 0.2 && changes < 0.45, "\(changes)")
    let near = (1...5).reduce(0) { $0 + (reading.spreads[$1] ?? 0) }
    // With few messages a stock the books follow slowly and spreads are wider than in stream A.
    #expect(Double(near) > 0.8 * Double(reading.spreadCount), "\(reading.spreads)")
    for book in reading.books {
      let levels = [Side.buy, .sell].map { book.queues[$0]?.count ?? 0 }
      #expect(levels.allSatisfy { $0 > 10 })
      let mid = Double((book.price(.buy) ?? 0) + (book.price(.sell) ?? 0)) / 2e9
      #expect(mid > 13 && mid < 532)
    }
  }

  // Goal: there is something to learn. Method: at each tenth message of a stock compare the sign of the queue imbalance with
  // the sign of the mid's move over that stock's next 20 messages; equal signs must be more frequent than chance explains.
  @Test func `the heavier side tells where the mid goes`() throws {
    let fixture = ItchFixture(.init(seed: 5, messages: 60_000, symbols: 4))
    let stream = fixture.generate()
    var bench = try DecoderBench(listed: fixture.symbols.map(\.description))
    var books = fixture.symbols.map { _ in LittleBook() }
    var tops: [[(imbalance: Int64, mid: Int64)]] = fixture.symbols.map { _ in [] }
    var frames = ItchFrames(stream.span)
    while let body = frames.next() {
      guard let event = bench.decoder.decode(body, sequence: 1).event, event.kind.changesBook else { continue }
      let index = Int(event.instrument.index)
      books[index].apply(event)
      guard let bid = books[index].price(.buy), let ask = books[index].price(.sell) else { continue }
      tops[index].append((books[index].shares(.buy) - books[index].shares(.sell), bid + ask))
    }
    var agreeing = 0
    var moved = 0
    for top in tops {
      for place in stride(from: top.count / 10, to: top.count - 20, by: 10) {
        let move = top[place + 20].mid - top[place].mid
        guard move != 0, top[place].imbalance != 0 else { continue }
        moved += 1
        if (move > 0) == (top[place].imbalance > 0) { agreeing += 1 }
      }
    }
    let share = Double(agreeing) / Double(moved)
    #expect(moved > 1_500)
    #expect(share > 0.55 && share < 0.75, "\(share) of \(moved)")
  }

  @Test func `symbols are four letters and their locates count from one`() throws {
    let fixture = ItchFixture(.init(messages: 20_000, symbols: 800))
    #expect(fixture.symbols.prefix(2).map(\.description) == ["AAAA", "AAAB"])
    #expect(fixture.symbols[799].description == "ABET")
    #expect(Set(fixture.symbols).count == 800)
    let stream = fixture.generate()
    var bench = DecoderBench(discovering: 800)
    var frames = ItchFrames(stream.span)
    while let body = frames.next() { _ = bench.decoder.decode(body, sequence: 1) }
    let found = (0..<800).allSatisfy { index in
      bench.decoder.map.symbol(of: InstrumentID(index: UInt32(index))) == fixture.symbols[index]
        && bench.decoder.map.instrument(locate: UInt16(index + 1)).index == UInt32(index)
    }
    #expect(found)
  }
}
