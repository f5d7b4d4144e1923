public import TradingTypes

extension EngineConfiguration {
  /// The configuration that `bytes` describe: strict JSON, keys left out keep their built-in value.
  ///
  /// - Throws: one line with source, line, column and what was expected.
  public init(json bytes: [UInt8], source: String) throws(ConfigurationError) {
    self.init()
    let root = try StrictJSON.parse(bytes, source: source)
    guard case .object = root.value else { throw configurationRefusal(source, "the configuration", root, "an object") }
    let byPath = Dictionary(uniqueKeysWithValues: ConfigurationTable.fields.map { ($0.path, $0) })
    let sections = Set(
      ConfigurationTable.fields.compactMap { $0.path.split(separator: ".").dropLast().first.map(String.init) })
    try take(root, prefix: "", byPath: byPath, sections: sections, source: source)
    try validate(source: source)
  }

  private mutating func take(
    _ node: JSONNode, prefix: String, byPath: [String: ConfigurationField], sections: Set<String>, source: String
  ) throws(ConfigurationError) {
    guard case .object(let members) = node.value else { throw configurationRefusal(source, prefix, node, "an object") }
    for (key, value) in members {
      let path = prefix.isEmpty ? key : "\(prefix).\(key)"
      if let field = byPath[path] {
        try field.write(&self, value, source)
      } else if prefix.isEmpty, sections.contains(key) {
        try take(value, prefix: key, byPath: byPath, sections: sections, source: source)
      } else {
        throw ConfigurationError("\(source): \(value.place): unknown key \"\(path)\"; --print-config lists all")
      }
    }
  }

  /// Checks what no single key can say.
  public func validate(source: String) throws(ConfigurationError) {
    func demand(_ holds: Bool, _ rule: String) throws(ConfigurationError) {
      guard holds else { throw ConfigurationError("\(source): \(rule)") }
    }
    try demand(
      capacity.windowTicks.nonzeroBitCount == 1 && capacity.openOrders.nonzeroBitCount == 1,
      "capacity: window_ticks and open_orders are powers of two")
    try demand(
      books.unknownOrdersMax <= books.unknownOrdersWindow,
      "books: unknown_orders_max is at most unknown_orders_window")
    try demand(86_400 % bars.primarySeconds == 0, "bars: primary_s divides a day of 86400 seconds")
    try demand(
      bars.further.count <= 4 && Set(bars.further).count == bars.further.count && bars.further.allSatisfy(\.isSound),
      "bars: further has at most 4 distinct timeframes")
    try demand(bars.sessionOpenSeconds < bars.sessionCloseSeconds, "bars: session_open_s is before session_close_s")
    try demand(venues.reduce(0) { $0 + $1.sharePercent } == 100, "venues: share_percent add up to 100")
    try demand(Set(venues.map(\.name)).count == venues.count, "venues: names are distinct")
    let states = regime.variances.count
    try demand(
      regime.start.count == states && regime.means.count == states && regime.transition.count == states
        && regime.transition.allSatisfy { $0.count == states },
      "regime: start, means, variances and transition have the same number of states")
    try demand(
      regime.roles.isEmpty ? states < 4 : regime.roles.count == states,
      "regime: roles name one regime a state (four states have no preset)")
    do throws(ConfigurationError) { _ = try volatilityParameters() } catch {
      throw ConfigurationError("\(source): \(error)")
    }
    try demand(
      continuousSizing.meanBarsMin <= continuousSizing.meanBars,
      "continuous_sizing: mean_bars_min is at most mean_bars")
    try demand(instruments.count <= Int(capacity.instruments), "instruments: no more than capacity.instruments")
  }

  /// The configuration as strict JSON that reads back equal.
  public var json: String {
    var lines: [String] = []
    var open = ""
    for field in ConfigurationTable.fields {
      let parts = field.path.split(separator: ".")
      let section = parts.count > 1 ? String(parts[0]) : ""
      if section != open {
        if !open.isEmpty { lines[lines.count - 1].removeLast() }
        if !open.isEmpty { lines.append("  },") }
        if !section.isEmpty { lines.append("  \"\(section)\": {") }
        open = section
      }
      let indent = section.isEmpty ? "  " : "    "
      lines.append("\(indent)\"\(parts[parts.count - 1])\": \(field.read(self)),")
    }
    lines[lines.count - 1].removeLast()
    if !open.isEmpty { lines.append("  }") }
    return "{\n" + lines.joined(separator: "\n") + "\n}\n"
  }

  /// SHA-256 of `json`, what reports call `config_sha256`.
  public var sha256: String {
    var hash = SHA256()
    hash.combine(json.utf8)
    return hash.hex
  }
}
