import CAllocationCounter
import LockFreeRings
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

/// Feeds a row the way an engine does: due bars first, then the message.
func feed(_ row: BookRow, to engine: inout FeatureEngine) {
  if engine.barIsDue(row.event.instrument, at: row.event.time) {
    while engine.closeBar(row.event.instrument, at: row.event.time) != nil {}
  }
  engine.update(row.event, effect: row.effect, depth: row.depth)
}

/// The vector after a row, as of `later` nanoseconds after it.
func vector(of engine: borrowing FeatureEngine, after row: BookRow, later: Int64 = 0) -> FeatureVector {
  var vector = FeatureVector()
  let time = Timestamp(nanoseconds: row.event.time.nanoseconds + later)
  engine.vector(of: row.event.instrument, depth: row.depth, at: time, into: &vector)
  return vector
}

/// All bits of a vector, for exact comparison.
func bits(_ vector: FeatureVector) -> [UInt64] {
  (0..<96).map { vector.values[$0].bitPattern } + [
    vector.valid.low, UInt64(vector.valid.high), vector.stale.low, UInt64(vector.stale.high),
  ]
}

@Suite struct StreamTests {
  // Goal: incremental equals batch. Method: random streams with thin, empty, locked and crossed books and late messages,
  // compared with definitions over the whole history.
  @Test(arguments: Seeds.brief) func `incremental slots equal the batch twin`(seed: UInt64) throws {
    var stream = RandomStream(seed: seed)
    var twin = BatchTwin()
    var engine = try makeEngine()
    let table = FeatureConfiguration().micropriceTable
    for (number, row) in stream.rows(1_000).enumerated() {
      feed(row, to: &engine)
      twin.update(row)
      guard number % 7 == 0 || number < 60 else { continue }
      let actual = vector(of: engine, after: row)
      let expected = twin.slots(table)
      for slot in 0..<37 {
        let error = abs(actual.values[slot] - expected[slot])
        let limit = 1e-9 * max(1, abs(expected[slot]))
        #expect(
          error <= limit,
          "seed \(seed), message \(number), slot \(slot): \(actual.values[slot]), expected \(expected[slot])")
      }
    }
    let late = engine.counters.outOfOrder
    #expect(late > 0)
  }

  // Goal: no look-ahead. Method: what was computed for a prefix does not depend on what follows it.
  @Test(arguments: Seeds.brief) func `the future changes no past vector`(seed: UInt64) throws {
    var stream = RandomStream(seed: seed)
    let shared = stream.rows(300)
    var tails = [stream.rows(200), []]
    var other = RandomStream(seed: seed &+ 1)
    other.time = stream.time
    tails[1] = other.rows(200)
    var runs: [[[UInt64]]] = []
    for tail in tails {
      var engine = try makeEngine()
      var outputs: [[UInt64]] = []
      for row in shared + tail {
        feed(row, to: &engine)
        outputs.append(bits(vector(of: engine, after: row, later: 3)))
      }
      runs.append(outputs)
    }
    #expect(runs[0].prefix(300) == runs[1].prefix(300), "seed \(seed)")
    #expect(runs[0] != runs[1])
  }

  // Goal: asking is free of side effects. Method: one engine is asked after every message and far ahead, the other only at the end.
  @Test(arguments: Seeds.brief) func `asking for a vector changes nothing`(seed: UInt64) throws {
    var stream = RandomStream(seed: seed)
    var asked = try makeEngine()
    var silent = try makeEngine()
    for row in stream.rows(400) {
      feed(row, to: &asked)
      feed(row, to: &silent)
      _ = vector(of: asked, after: row, later: 60_000_000_000)
      let left = bits(vector(of: asked, after: row))
      let right = bits(vector(of: silent, after: row))
      #expect(left == right, "seed \(seed), message \(row.event.sequence)")
    }
  }

  // Goal: a restored engine goes on as the original. Method: snapshot at random points, restore into a used engine, compare bits.
  @Test(arguments: Seeds.brief) func `snapshot and rest equal the whole run bit for bit`(seed: UInt64) throws {
    var stream = RandomStream(seed: seed)
    let rows = stream.rows(600)
    var random = SplitMix64(seed: seed)
    let cut = random.below(rows.count)
    var whole = try makeEngine { $0.primaryBars = .time(.seconds(1)) }
    var resumed = try makeEngine { $0.primaryBars = .time(.seconds(1)) }
    for row in rows.prefix(50) { feed(row, to: &resumed) }
    whole.receive(ContextEvent(kind: .vix, value: 20, time: rows[0].event.time))
    for (number, row) in rows.enumerated() {
      if number == cut { try resumed.restore(whole.snapshot()) }
      feed(row, to: &whole)
      guard number >= cut else { continue }
      feed(row, to: &resumed)
      let left = bits(vector(of: whole, after: row))
      let right = bits(vector(of: resumed, after: row))
      #expect(left == right, "seed \(seed), cut at \(cut), message \(number)")
    }
    let counters = (whole.counters, resumed.counters)
    #expect(counters.0 == counters.1)
  }

  // Goal: no NaN or infinity and no trap, whatever comes. Method: messages, books, context and model values of any bits; every slot
  // of every timeframe is looked at. `proof features` does the same ten million times.
  @Test(arguments: Seeds.brief) func `nothing that arrives makes a slot not finite`(seed: UInt64) throws {
    var market = WildMarket(seed: seed, instruments: 2)
    var walk = MarketWalk(
      try makeEngine(instruments: 2) {
        $0.delayedCapacity = 4
        $0.furtherBars = [.volume(1), .dollar(500)]
      })
    let steps = countsAllocations ? 100_000 : 4_000
    for number in 0..<steps {
      // Late in the run only: see `hasWildTimes`.
      market.hasWildTimes = number > steps - 1_000
      let fault = walk.fault(after: market.next())
      #expect(fault == nil, "seed \(seed), step \(number)")
    }
    let counters = walk.engine.counters
    #expect(counters.unknownInstrument > 0 && counters.invalidTrades > 0 && counters.refusedValues > 0)
  }

  // Goal: nothing is allocated. Method: count over messages, bars of five timeframes, vectors, blocks and cross-sections after a
  // warm-up.
  @Test(.enabled(if: countsAllocations)) func `messages, bars and vectors allocate nothing`() throws {
    var stream = RandomStream(seed: 7)
    let rows = stream.rows(4_000)
    var engine = try makeEngine { $0.furtherBars = [.time(.seconds(1)), .volume(1), .dollar(500), .time(.seconds(5))] }
    var result = FeatureVector()
    var block = BarBlock()
    func run(_ rows: ArraySlice<BookRow>) {
      for row in rows {
        let id = row.event.instrument
        feed(row, to: &engine)
        engine.vector(of: id, depth: row.depth, at: row.event.time, into: &result)
        for timeframe in 0..<5 { engine.bars(of: id, timeframe: timeframe, at: row.event.time, into: &block) }
        let sample = engine.sampleUniverse(at: row.event.time)
        engine.takeUniverse(sample, at: row.event.time)
      }
    }
    run(rows[..<2_000])
    let counts = counting { run(rows[2_000...]) }
    #expect(counts.allocations == 0)
  }
}
