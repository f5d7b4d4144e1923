public import TradingTypes

/// What stage 2 can be told: windows that the catalogue leaves open, ages, and the feed's units.
public struct FeatureConfiguration: Sendable {
  /// The feed's price increment, the unit "tick" of the catalogue; 1e-4 USD for ITCH and LOBSTER.
  public var priceIncrement: Price = Price(nanos: 100_000)
  /// Midnight of the feed's day: bars are aligned to it and the session is counted from it.
  public var dayStart: Timestamp = Timestamp(nanoseconds: 0)
  /// Bars of the model vector.
  public var primaryBars: BarRule = .time(.seconds(60))
  /// Bars of further timeframes, each with a block of the bar slots of its own; the primary one among them is left out. At most
  /// four; about 16 KB an instrument each.
  public var furtherBars: [BarRule] = [
    .time(.seconds(1)), .time(.seconds(300)), .time(.seconds(3_600)), .time(.seconds(86_400)),
  ]
  /// Start of the session, from midnight.
  public var sessionOpen: TimeSpan = .seconds(34_200)
  /// End of the session, from midnight.
  public var sessionClose: TimeSpan = .seconds(57_600)
  /// Lots in a volume bucket of VPIN.
  public var vpinBucketVolume: Quantity = Quantity(lots: 1_000)
  /// Buckets in the window of VPIN, 5…50.
  public var vpinBucketCount: Int = 5
  /// Base rate of the trade intensities in 1/s.
  public var hawkesBase: Double = 0.5
  /// Jump of a trade intensity at a trade, in 1/s.
  public var hawkesJump: Double = 0.8
  /// Decay of the trade intensities in 1/s.
  public var hawkesDecay: Double = 1.5
  /// How long after a trade its realised spread is known.
  public var delayedHorizon: TimeSpan = .seconds(5)
  /// Trades of an instrument that can wait for their realised spread; a power of two. More are counted and skipped.
  public var delayedCapacity: Int = 1_024
  /// Age of the last book event beyond which slots 0–22 are stale.
  public var bookStaleAge: TimeSpan = .seconds(60)
  /// Age of the last trade beyond which slots 23–36 are stale.
  public var tradeStaleAge: TimeSpan = .seconds(300)
  /// Age of the last closed bar's end beyond which bar slots are stale; two spans of a time bar where that is more. Slots of volume
  /// and dollar bars age with the last trade.
  public var barStaleAge: TimeSpan = .seconds(300)
  /// Age of a context value beyond which its slots are stale.
  public var contextStaleAge: TimeSpan = .seconds(86_400)
  /// Prices closer than this step (one cent) share a spread bucket of the microprice table.
  public var micropriceSpreadStep: Price = Price(nanos: 10_000_000)
  /// Fitted moves of the mid price in ticks.
  public var micropriceTable: MicropriceTable = .weightedMidPrior(spreadStepTicks: 100)

  /// The defaults of the catalogue.
  public init() {}

  /// The primary bars and the further ones.
  var timeframes: [BarRule] { [primaryBars] + furtherBars.filter { $0 != primaryBars } }

  /// Checks every member.
  ///
  /// - Throws: `ConfigurationError` naming the first member out of range, its value and what was expected.
  public func validate() throws(ConfigurationError) {
    func require(_ holds: Bool, _ text: @autoclosure () -> String) throws(ConfigurationError) {
      guard holds else { throw ConfigurationError("features: \(text())") }
    }
    let day: Int64 = 86_400_000_000_000
    try require(
      (1...1_000_000_000_000).contains(priceIncrement.nanos), "price increment \(priceIncrement.nanos), expected 1…1e12"
    )
    try require(
      dayStart.nanoseconds.magnitude < 1 << 62, "day start \(dayStart.nanoseconds), expected within 2^62 ns of 1970")
    let rules = timeframes
    try require(rules.count <= 5, "\(furtherBars.count) further timeframes, expected at most 4")
    for (place, rule) in rules.enumerated() {
      try require(
        rule.isSound,
        "bars \(rule.name), expected a span that divides a day, or an amount of 1…1e15 lots or currency units")
      try require(!rules[..<place].contains(rule), "bars \(rule.name) twice, expected distinct timeframes")
    }
    try require(
      sessionOpen >= .zero && sessionOpen < sessionClose && sessionClose.nanoseconds <= day,
      "session \(sessionOpen.nanoseconds)…\(sessionClose.nanoseconds) ns, expected open before close within a day")
    try require(
      (1...1_000_000_000_000).contains(vpinBucketVolume.lots), "VPIN bucket \(vpinBucketVolume.lots), expected 1…1e12")
    try require((5...50).contains(vpinBucketCount), "VPIN window \(vpinBucketCount), expected 5…50")
    for (name, value) in [("base", hawkesBase), ("jump", hawkesJump)] {
      try require(value.isFinite && (0...1e6).contains(value), "Hawkes \(name) \(value), expected 0…1e6")
    }
    try require(
      hawkesDecay.isFinite && hawkesDecay > 0 && hawkesDecay <= 1e6, "Hawkes decay \(hawkesDecay), expected 0…1e6")
    try require(
      delayedHorizon > .zero && delayedHorizon.nanoseconds <= day,
      "delayed horizon \(delayedHorizon.nanoseconds) ns, expected up to a day")
    try require(
      (1...1 << 20).contains(delayedCapacity) && delayedCapacity & (delayedCapacity - 1) == 0,
      "delayed capacity \(delayedCapacity), expected a power of two up to 2^20")
    for (name, age) in [
      ("book", bookStaleAge), ("trade", tradeStaleAge), ("bar", barStaleAge), ("context", contextStaleAge),
    ] {
      try require(age > .zero, "\(name) stale age \(age.nanoseconds) ns, expected a positive span")
    }
    try require(
      (1...1 << 60).contains(micropriceSpreadStep.nanos),
      "microprice spread step \(micropriceSpreadStep.nanos), expected a positive price")
    for index in 0..<30 {
      let move = micropriceTable.moves[index]
      try require(move.isFinite && move.magnitude < 1e12, "microprice table entry \(index) is \(move), expected finite")
    }
  }
}
