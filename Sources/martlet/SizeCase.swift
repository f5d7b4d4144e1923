import PositionSizing
import TradingEngine
import TradingTypes

/// One line of `martlet size`'s input.
struct SizeCase {
  var sizing = ContinuousSizing()
  var inputs: ContinuousSizing.Inputs

  /// Every case of a JSONL file; blank lines are skipped.
  static func read(_ path: String) throws -> [SizeCase] {
    let bytes = try InputBytes.read(path)
    var cases: [SizeCase] = []
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 > 0x20 }) else { continue }
      cases.append(try SizeCase(withoutNaN(line), place: "\(path): line \(index + 1)"))
    }
    guard !cases.isEmpty else {
      throw ToolFailure.badInput("\(path): no case, expected one JSON object a line (martlet size --help shows one)")
    }
    return cases
  }

  /// `line` with NaN and Infinity, as Python writes them, as null.
  private static func withoutNaN(_ line: ArraySlice<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(line.count)
    var rest = line
    var isQuoted = false
    while let byte = rest.first {
      if !isQuoted, byte == UInt8(ascii: "N") || byte == UInt8(ascii: "I") || byte == UInt8(ascii: "-"),
        let word = ["NaN", "Infinity", "-Infinity"].first(where: { rest.starts(with: $0.utf8) })
      {
        text.append(contentsOf: "null".utf8)
        rest = rest.dropFirst(word.utf8.count)
        continue
      }
      if isQuoted, byte == UInt8(ascii: "\\") {
        text.append(contentsOf: rest.prefix(2))
        rest = rest.dropFirst(2)
        continue
      }
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      text.append(byte)
      rest = rest.dropFirst()
    }
    return text
  }

  private init(_ line: [UInt8], place: String) throws {
    let node: JSONNode
    do {
      node = try StrictJSON.parse(line, source: "")
    } catch {
      // The parser counts lines of its own text, which is one.
      let text = "\(error)"
      let prefix = ": line 1, "
      throw ToolFailure.badInput(place + (text.hasPrefix(prefix) ? ", " + text.dropFirst(prefix.count) : text))
    }
    let whole = try SizeFields(node, at: place, "")
    try whole.refuseOthers(than: ["name", "input", "config", "expected"])
    var input = try whole.requiredObject("input")
    let config = try whole.object("config")

    inputs = ContinuousSizing.Inputs(
      mean: try input.number("mu"), observations: try input.number("nEff"),
      volatility: try input.number("sigma_garch", otherwise: .nan), vix: try input.number("vix", otherwise: .nan),
      vixAge: Self.age(try input.number("vix_age_s", otherwise: 0)), equity: try input.number("equity"),
      peak: try input.number("peak"), regimeMultiplier: try input.number("regimeMultiplier", otherwise: 1))
    try input.refuseOthers(than: input.asked)

    if var config {
      sizing.kellyFraction = try config.number("kellyFraction", otherwise: sizing.kellyFraction)
      sizing.leverageMax = try config.number("maxLeverage", otherwise: sizing.leverageMax)
      sizing.volatilityTargetAnnual = try config.number("targetVolAnnual", otherwise: sizing.volatilityTargetAnnual)
      sizing.vixScale = try config.number("vixScale", otherwise: sizing.vixScale)
      sizing.vixMax = try config.number("vixMax", otherwise: sizing.vixMax)
      sizing.vixAgeMax = Self.age(try config.number("vixStaleAfter_s", otherwise: 900))
      sizing.volatilityPenaltyWithoutVIX = try config.number(
        "stalePenalty", otherwise: sizing.volatilityPenaltyWithoutVIX)
      sizing.volatilityFloor = try config.number("sigmaFloor", otherwise: sizing.volatilityFloor)
      sizing.drawdownMax = try config.number("maxDrawdown", otherwise: sizing.drawdownMax)
      sizing.allowsShort = try config.boolean("allowShort", otherwise: sizing.allowsShort)
      try config.refuseOthers(than: config.asked)
    }
    do { try sizing.validate() } catch { throw ToolFailure.badInput("\(place): config: \(error)") }
  }

  /// Seconds as a span; what is no age, or longer than any, is a negative one: not usable.
  private static func age(_ seconds: Double) -> TimeSpan {
    guard seconds >= 0, seconds < 9e9 else { return TimeSpan(nanoseconds: -1) }
    // Up, so that an age is never read as a shorter one.
    return TimeSpan(nanoseconds: Int64((seconds * 1e9).rounded(.up)))
  }
}

/// The members of one object of a case, by name.
struct SizeFields {
  private let members: [(key: String, value: JSONNode)]
  private let place: String
  private let path: String
  private(set) var asked: [String] = []

  init(_ node: JSONNode, at place: String, _ path: String) throws {
    guard case .object(let members) = node.value else {
      throw ToolFailure.badInput(
        "\(place), column \(node.column): \(path.isEmpty ? "a case" : path) is \(node.kindName), an object expected")
    }
    self.members = members
    self.place = place
    self.path = path
  }

  private func find(_ key: String) -> JSONNode? { members.first { $0.key == key }?.value }

  private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// A number, NaN for null.
  mutating func number(_ key: String, otherwise: Double? = nil) throws -> Double {
    asked.append(key)
    guard let node = find(key) else {
      if let otherwise { return otherwise }
      throw ToolFailure.badInput("\(place): \(name(key)) is missing, a number or null expected")
    }
    switch node.value {
    case .null: return .nan
    case .number(let text): return Double(text) ?? .nan
    default:
      throw ToolFailure.badInput(
        "\(place), column \(node.column): \(name(key)) is \(node.kindName), a number or null expected")
    }
  }

  mutating func boolean(_ key: String, otherwise: Bool) throws -> Bool {
    asked.append(key)
    guard let node = find(key) else { return otherwise }
    guard case .boolean(let value) = node.value else {
      throw ToolFailure.badInput(
        "\(place), column \(node.column): \(name(key)) is \(node.kindName), a boolean expected")
    }
    return value
  }

  /// The members of an object below this one.
  func object(_ key: String) throws -> SizeFields? {
    try find(key).map { try SizeFields($0, at: place, name(key)) }
  }

  /// The same where it has to be there.
  func requiredObject(_ key: String) throws -> SizeFields {
    guard let object = try object(key) else {
      throw ToolFailure.badInput("\(place): \(name(key)) is missing, an object expected")
    }
    return object
  }

  /// Refuses a key that says nothing here: it may be a misspelled one. Keys that begin with _ are notes.
  func refuseOthers(than known: [String]) throws {
    guard let other = members.first(where: { !known.contains($0.key) && !$0.key.hasPrefix("_") }) else { return }
    throw ToolFailure.badInput(
      "\(place), column \(other.value.column): unknown key \(name(other.key)), "
        + "one of \(known.joined(separator: ", ")) expected")
  }
}
