internal import LockFreeRings
internal import MarketIngest
internal import PositionSizing
internal import RegimeDetection
internal import TradingTypes

// A refit in a journal: 58 words an instrument, those of a part that is not there zero. Version 2; version 1 had no word 57.
//
//      0  barrier   1  number   2  instrument | shard << 32 | parts << 48   3  returns taken in late
//      4  states   5 ..< 9  start   9 ..< 25  transition   25 ..< 29  means   29 ..< 33  variances
//     33  regime of each state, style of each regime   34 ..< 37  multipliers   37, 38  hysteresis
//     39 ..< 43  probabilities   43  log-likelihood   44  observations   45  flips   46  regime, candidate, its observations
//     47 ..< 53  mean, omega, alpha, gamma, beta, backcast   53  equation   54  variance   55  observations   56  its logarithm
//     57  place | records of the refit << 32
extension RefitRecord {
  static var wordCount: Int { 58 }

  /// The payload of a `JournalRecord.refit`.
  var journalWords: InlineArray<58, UInt64> {
    var words = InlineArray<58, UInt64>(repeating: 0)
    words[0] = UInt64(bitPattern: barrier.nanoseconds)
    words[1] = number
    let parts: UInt64 = (regime == nil ? 0 : 1) | (volatility == nil ? 0 : 2)
    words[2] = UInt64(instrument.index) | UInt64(shard) << 32 | parts << 48
    words[3] = UInt64(caughtUp)
    if let regime { Self.put(regime, into: &words) }
    if let volatility { Self.put(volatility, into: &words) }
    words[57] = UInt64(place) | UInt64(recordCount) << 32
    return words
  }

  private static func put(_ part: RegimePart, into words: inout InlineArray<58, UInt64>) {
    words[4] = UInt64(truncatingIfNeeded: part.parameters.stateCount)
    var sorts: UInt64 = 0
    for state in 0..<4 {
      words[5 + state] = part.parameters.start[state].bitPattern
      words[25 + state] = part.parameters.means[state].bitPattern
      words[29 + state] = part.parameters.variances[state].bitPattern
      words[39 + state] = part.state.probabilities[state].bitPattern
      sorts |= UInt64(part.table.role(ofState: state).rawValue) << UInt64(8 * state)
    }
    for place in 0..<16 { words[9 + place] = part.parameters.transition[place].bitPattern }
    for place in 0..<3 {
      guard let regime = Regime(rawValue: UInt8(truncatingIfNeeded: place)) else { continue }
      let rule = part.table.rule(of: regime)
      sorts |= UInt64(rule.style.rawValue) << UInt64(32 + 8 * place)
      words[34 + place] = rule.multiplier.bitPattern
    }
    words[33] = sorts
    words[37] = part.table.hysteresis.probabilityMin.bitPattern
    words[38] = UInt64(UInt32(bitPattern: part.table.hysteresis.observationsMin))
    words[43] = part.state.logLikelihood.bitPattern
    words[44] = UInt64(bitPattern: part.state.observations)
    words[45] = UInt64(bitPattern: part.state.flips)
    words[46] =
      UInt64(part.state.regime.rawValue) | UInt64(part.state.candidate.rawValue) << 8
      | UInt64(UInt32(bitPattern: part.state.candidateObservations)) << 32
  }

  private static func put(_ part: VolatilityPart, into words: inout InlineArray<58, UInt64>) {
    words[47] = part.parameters.mean.bitPattern
    words[48] = part.parameters.omega.bitPattern
    words[49] = part.parameters.alpha.bitPattern
    words[50] = part.parameters.gamma.bitPattern
    words[51] = part.parameters.beta.bitPattern
    words[52] = part.parameters.backcast.bitPattern
    words[53] = UInt64(part.parameters.model.rawValue)
    words[54] = part.state.variance.bitPattern
    words[55] = UInt64(bitPattern: part.state.observations)
    words[56] = part.state.logVariance.bitPattern
  }

  /// The refit that a journal's record holds, or nil where its bytes are none.
  public init?(journalPayload bytes: RawSpan) {
    guard bytes.byteCount == 8 * Self.wordCount else { return nil }
    let view = ByteView(bytes)
    self.init(
      journalWords: (0..<Self.wordCount).map { place in
        (0..<8).reduce(UInt64(0)) { $0 | UInt64(view.byte(at: place * 8 + $1)) << UInt64(8 * $1) }
      })
  }

  /// The refit that `words` are, or nil where they are none.
  init?(journalWords words: [UInt64]) {
    guard words.count == Self.wordCount else { return nil }
    let parts = words[2] >> 48
    guard parts >= 1, parts <= 3, words[1] != 0, words[3] <= UInt64(UInt16.max),
      words[57] >> 32 > words[57] & 0xffff_ffff
    else { return nil }
    self.init(
      number: words[1], barrier: Timestamp(nanoseconds: Int64(bitPattern: words[0])),
      instrument: InstrumentID(index: UInt32(truncatingIfNeeded: words[2])),
      shard: UInt16(truncatingIfNeeded: words[2] >> 32), caughtUp: UInt16(words[3]),
      place: UInt32(truncatingIfNeeded: words[57]), recordCount: UInt32(truncatingIfNeeded: words[57] >> 32))
    if parts & 1 != 0 {
      guard let part = Self.regimePart(words) else { return nil }
      regime = part
    }
    if parts & 2 != 0 {
      guard let part = Self.volatilityPart(words) else { return nil }
      volatility = part
    }
  }

  // The parameters' own rules refuse what no refit can have written.
  private static func regimePart(_ words: [UInt64]) -> RegimePart? {
    func real(_ place: Int) -> Double { Double(bitPattern: words[place]) }
    func regime(_ word: UInt64) -> Regime? { Regime(rawValue: UInt8(truncatingIfNeeded: word)) }
    guard words[4] >= 2, words[4] <= 4 else { return nil }
    let count = Int(words[4])
    var roles: [Regime] = []
    for state in 0..<count {
      guard let role = regime(words[33] >> UInt64(8 * state)) else { return nil }
      roles.append(role)
    }
    var rules: [Regime: RegimeRule] = [:]
    for regime in Regime.allCases {
      let place = Int(regime.rawValue)
      let style = RegimeRule.Style(rawValue: UInt8(truncatingIfNeeded: words[33] >> UInt64(32 + 8 * place)))
      guard let style else { return nil }
      rules[regime] = RegimeRule(multiplier: real(34 + place), style: style)
    }
    guard
      let parameters = try? RegimeParameters(
        start: (0..<count).map { real(5 + $0) },
        transition: (0..<count).map { row in (0..<count).map { real(9 + 4 * row + $0) } },
        means: (0..<count).map { real(25 + $0) }, variances: (0..<count).map { real(29 + $0) }, transitionFloor: 0),
      let table = try? RegimeTable(
        roles: roles, rules: rules,
        hysteresis: RegimeHysteresis(
          probabilityMin: real(37), observationsMin: Int32(bitPattern: UInt32(truncatingIfNeeded: words[38])))),
      let now = regime(words[46]), let candidate = regime(words[46] >> 8)
    else { return nil }
    var state = RegimeState(start: parameters, table: table)
    for place in 0..<4 { state.probabilities[place] = real(39 + place) }
    state.logLikelihood = real(43)
    state.observations = Int64(bitPattern: words[44])
    state.flips = Int64(bitPattern: words[45])
    state.regime = now
    state.candidate = candidate
    state.candidateObservations = Int32(bitPattern: UInt32(truncatingIfNeeded: words[46] >> 32))
    // The filter's own check, on a filter of one instrument.
    guard
      var filter = try? RegimeFilter(
        instrumentCount: 1, parameters: parameters, table: table, in: Arena(capacityBytes: 4_096)),
      (try? filter.restore(state, of: InstrumentID(index: 0))) != nil
    else { return nil }
    return RegimePart(parameters: parameters, table: table, state: state)
  }

  private static func volatilityPart(_ words: [UInt64]) -> VolatilityPart? {
    func real(_ place: Int) -> Double { Double(bitPattern: words[place]) }
    guard words[53] <= 255, let model = VolatilityModel(rawValue: UInt8(words[53])),
      let parameters = try? VolatilityParameters(
        model, mean: real(47), omega: real(48), alpha: real(49), gamma: real(50), beta: real(51), backcast: real(52))
    else { return nil }
    let state = VolatilityState(
      variance: real(54), observations: Int64(bitPattern: words[55]), logVariance: real(56))
    guard state.isSound(under: parameters) else { return nil }
    return VolatilityPart(parameters: parameters, state: state)
  }
}
