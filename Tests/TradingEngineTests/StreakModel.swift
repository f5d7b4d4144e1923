import TradingEngine

/// Two slots of a host's own: how many trades in a row went the same way, and the mid's distance from its average over a minute.
struct StreakFeatures: CustomFeatures {
  static let names = ["tradeStreak", "midDrift"]
  var streak = 0
  var average = 0.0
  var time = Timestamp.distantPast

  mutating func update(_ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView) {
    if let trade = TradePrint(event, effect: effect), trade.sign != 0 {
      streak = trade.sign > 0 ? max(streak, 0) + 1 : min(streak, 0) - 1
    }
    guard depth.isTwoSided else { return }
    let mid = Double(depth.midNanosTwice) / 2e9
    let passed = average == 0 ? 60 : max(0, (event.time - time).seconds)
    average += (mid - average) * min(1, passed / 60)
    time = event.time
  }

  func write(depth: borrowing DepthView, at now: Timestamp, into slots: inout CustomSlots) {
    slots.set(0, Double(streak))
    guard depth.isTwoSided, average > 0 else { return }
    slots.set(1, Double(depth.midNanosTwice) / 2e9 / average - 1)
  }
}

/// A model that reads them: the pipeline keeps one `StreakFeatures` for each instrument because the model says so.
struct StreakModel: Forecaster {
  typealias Features = StreakFeatures

  func forecast(_ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp) -> Forecast {
    guard features.valid[88] else { return .unusable }
    let up = 0.5 + 0.4 * max(-1, min(1, features.values[88] / 5))
    return Forecast(probabilityUp: up, confidence: max(up, 1 - up), members: 1)
  }
}
