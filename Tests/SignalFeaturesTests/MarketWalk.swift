import SignalFeatures
import TestSupport
import TradingTypes

/// A seeded market of several instruments with context values: everything a feature engine can be told.
func marketSteps(seed: UInt64, instruments: Int, count: Int) -> [MarketStep] {
  var random = SplitMix64(seed: seed ^ 0x9E37_79B9)
  var streams = (0..<instruments).map { RandomStream(seed: seed &+ UInt64($0) &* 77) }
  var steps: [MarketStep] = []
  for _ in 0..<count {
    let first = streams.indices.min { streams[$0].time < streams[$1].time }!
    var row = streams[first].next()
    row.event.instrument = InstrumentID(index: UInt32(first))
    steps.append(.row(row))
    guard random.below(12) == 0 else { continue }
    let kinds: [(ContextEvent.Kind, Double)] = [
      (.sentiment, 2), (.sentiment, 2), (.vix, 60), (.yield10y, 9), (.yield2y, 9),
    ]
    let (kind, range) = kinds[random.below(kinds.count)]
    let value = (Double(random.below(1_000)) / 1_000 - (kind == .vix ? 0 : 0.5)) * range
    let name = random.below(3) == 0 ? InstrumentID.none : InstrumentID(index: UInt32(random.below(instruments)))
    steps.append(.context(ContextEvent(kind: kind, instrument: name, value: value, time: row.event.time)))
  }
  return steps
}

extension MarketStep {
  /// When it happens, in nanoseconds; 0 for model values, which have no time.
  var time: Int64 {
    switch self {
    case .row(let row): row.event.time.nanoseconds
    case .context(let event): event.time.nanoseconds
    case .model: 0
    }
  }

  /// The same step, so many nanoseconds later.
  func shifted(by nanoseconds: Int64) -> MarketStep {
    let span = TimeSpan(nanoseconds: nanoseconds)
    switch self {
    case .row(var row):
      row.event.time = row.event.time + span
      return .row(row)
    case .context(var event):
      event.time = event.time + span
      return .context(event)
    case .model: return self
    }
  }
}

/// Walks an engine through steps the way a pipeline does: barriers, bars, model slots, messages.
struct MarketWalk: ~Copyable {
  var engine: FeatureEngine
  var barrier = Int64.min

  init(_ engine: consuming FeatureEngine) { self.engine = engine }

  /// Takes a step and gives every bit an engine then shows of the instrument: vector, blocks and all masks.
  mutating func take(_ step: MarketStep) -> [UInt64] {
    switch step {
    case .context(let event):
      _ = engine.receive(event)
      return []
    case .model(let id, let variance, let bear, let bull):
      _ = engine.setModelSlots(id, garchVariance: variance, regimeProbabilities: (bear, 0.2, bull))
      return []
    case .row(let row):
      let id = row.event.instrument
      let time = row.event.time
      if time.nanoseconds >= barrier {
        let end = Timestamp(nanoseconds: time.nanoseconds / 1_000_000_000 * 1_000_000_000)
        let sample = engine.sampleUniverse(at: end)
        engine.takeUniverse(sample, at: end)
        barrier = end.nanoseconds + 1_000_000_000
      }
      if engine.barIsDue(id, at: time) {
        while let bar = engine.closeBar(id, at: time) {
          let share = Double(bar.close.nanos % 7) / 14
          _ = engine.setModelSlots(
            id, garchVariance: bar.returnPercent * bar.returnPercent, regimeProbabilities: (share, 0.5 - share, 0.5))
        }
      }
      engine.update(row.event, effect: row.effect, depth: row.depth)
      guard Int(id.index) < engine.instrumentCount else { return [] }
      var shown = bits(vector(of: engine, after: row))
      var block = BarBlock()
      for timeframe in 1..<engine.timeframeCount {
        engine.bars(of: id, timeframe: timeframe, at: time, into: &block)
        for value in 0..<BarBlock.count { shown.append(block.values[value].bitPattern) }
        shown += [block.valid.low, UInt64(block.valid.high), block.stale.low, UInt64(block.stale.high)]
      }
      return shown
    }
  }
}

extension MarketWalk {
  /// What is wrong with what an engine shows after a step: a value that is not finite, or a slot both valid and stale.
  mutating func fault(after step: MarketStep) -> String? {
    let shown = take(step)
    for part in 0..<(shown.isEmpty ? 0 : engine.timeframeCount) {
      let start = part == 0 ? 0 : 100 + 54 * (part - 1)
      let count = part == 0 ? 96 : BarBlock.count
      for place in start..<(start + count) where !Double(bitPattern: shown[place]).isFinite {
        return "timeframe \(part), value \(place - start) is \(Double(bitPattern: shown[place]))"
      }
      let masks = shown[(start + count)..<(start + count + 4)]
      guard masks[masks.startIndex] & masks[masks.startIndex + 2] == 0,
        masks[masks.startIndex + 1] & masks[masks.startIndex + 3] == 0
      else { return "timeframe \(part): a slot is valid and stale" }
    }
    return nil
  }
}

/// An engine of five timeframes, one of them a bar a trade, so that every window of the catalogue fills within some hundred
/// trades.
func makeWalk(instruments: Int) throws -> MarketWalk {
  MarketWalk(
    try makeEngine(instruments: instruments) {
      $0.primaryBars = .time(.seconds(1))
      $0.furtherBars = [.volume(1), .dollar(500), .volume(5_000), .time(.seconds(5))]
    })
}
