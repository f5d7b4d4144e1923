import BacktestHarness
import EngineTelemetry
import MarketIngest
import OrderBooks
import TradingEngine

/// What stage 2 is given, as it occurs: stretches of consecutive messages from all over the input, each with what it did to its
/// book and the book behind it.
///
/// Several stretches in changing order, because one alone is learnt by heart by the processor's branch predictor. Every message
/// has a view of its own, so the views are read from memory and not from the first cache.
struct FeatureSamples {
  /// Messages of a stretch at most, and stretches.
  static let stretchMessages = 1_024
  static let stretchCount = 16

  var events: [MarketEvent] = []
  var effects: [BookEffect] = []
  var depths: [DepthView] = []
  /// The message asked for a decision.
  var triggers: [Bool] = []
  /// The places of each stretch.
  var stretches: [Range<Int>] = []

  /// Walks at most `messagesMax` messages of framed ITCH.
  init(_ setup: ReplaySetup, _ bytes: [UInt8], messagesMax: Int) throws {
    var frames = ItchFrames(bytes.rawBytes)
    var total = 0
    while total < messagesMax, frames.next() != nil { total += 1 }
    let length = min(Self.stretchMessages, total / (Self.stretchCount + 1))
    // The first part of the input fills books; no stretch is taken from it.
    let step = max(1, total / (Self.stretchCount + 1))

    var pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    frames = ItchFrames(bytes.rawBytes)
    var start = 0
    for sequence in 0..<total {
      guard let message = frames.next() else { break }
      let isKept = sequence >= step && sequence % step < length && sequence / step <= Self.stretchCount
      if isKept && sequence % step == 0 { start = events.count }
      if case .event(let event) = pipeline.decoder.decode(message, sequence: UInt64(sequence + 1)) {
        let before = pipeline.counts.triggers
        let effect = pipeline.ingest(event)
        if isKept && Int(event.instrument.index) < setup.directory.count {
          events.append(event)
          effects.append(effect)
          depths.append(pipeline.books[depth: event.instrument])
          triggers.append(pipeline.counts.triggers != before)
        }
      }
      if isKept && sequence % step == length - 1 && start < events.count { stretches.append(start..<events.count) }
    }
  }

  /// Moves a stretch to begin at `time`, so that event time goes on from stretch to stretch.
  ///
  /// - Returns: when the next one may begin.
  mutating func begin(_ stretch: Range<Int>, at time: Timestamp) -> Timestamp {
    let shift = time - events[stretch.lowerBound].time
    for place in stretch { events[place].time = events[place].time + shift }
    return events[stretch.upperBound - 1].time + TimeSpan(nanoseconds: 1_000_000)
  }
}
