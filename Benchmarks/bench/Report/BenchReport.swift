/// Everything bench found out: printed as tables, written as JSON.
struct BenchReport: Equatable {
  /// What was replayed.
  struct Input: Equatable {
    var name: String
    var messages: UInt64
  }

  /// What the engine did with it.
  struct Counts: Equatable {
    var messages: UInt64 = 0
    var triggers: UInt64 = 0
    var decisions: UInt64 = 0
    var orders: UInt64 = 0
    var fills: UInt64 = 0
    /// Refused decisions by the code of the check, in the order of the checks.
    var rejects: [Reject] = []
  }

  /// Decisions refused by one check.
  struct Reject: Equatable {
    var code: String
    var count: UInt64
  }

  /// The pass without timing.
  struct Throughput: Equatable {
    var messagesPerSecond: Double
    /// For one message.
    var nanoseconds: Double
  }

  /// How long the machine stops a thread that does nothing but look at the clock.
  struct Hiccup: Equatable {
    /// Nanoseconds.
    var p99: Int64?
    var p999: Int64?
    var max: Int64?
  }

  var machine: MachineDescription
  /// SHA-256 of the configuration, in hexadecimal digits.
  var configurationSHA256: String
  var seed: UInt64
  var input: Input
  var counts = Counts()
  var rates: [RateRow] = []
  var retainsPerEvent: Double = 0
  /// The seven stages at 100,000 messages a second.
  var stages: [LatencyRow] = []
  var endToEnd: LatencyRow?
  var tickToOrder: LatencyRow?
  var throughput: Throughput?
  var allocationsPerEvent: Double = 0
  var hiccup = Hiccup()
  var micro: [MicroRow] = []
  /// Of the decisions, 16 hexadecimal digits.
  var checksum: String

  /// The rows that have an objective.
  var objectiveRows: [LatencyRow] { stages + [endToEnd, tickToOrder].compactMap { $0 } }

  /// The names of the rows that breach their SLO: bench exits 1 when there is one.
  var breaches: [String] { objectiveRows.filter { $0.passes == false }.map(\.name) }

  /// Leaves only the rows with an objective that were asked for.
  mutating func keep(_ isSelected: (String) -> Bool) {
    stages.removeAll { !isSelected($0.name) }
    if let name = endToEnd?.name, !isSelected(name) { endToEnd = nil }
    if let name = tickToOrder?.name, !isSelected(name) { tickToOrder = nil }
  }

  /// The names of the rows that could not be judged, because nothing reached them.
  var unmeasured: [String] { objectiveRows.filter { $0.count == 0 }.map(\.name) }

  /// What became of the objectives, in a line; empty where none was asked for.
  var objectivesText: String {
    let rows = objectiveRows
    guard !rows.isEmpty else { return "" }
    var parts: [String] = []
    if !breaches.isEmpty { parts.append("BREACHED: " + breaches.joined(separator: ", ")) }
    if !unmeasured.isEmpty { parts.append("NOT MEASURED, nothing got there: " + unmeasured.joined(separator: ", ")) }
    if parts.isEmpty { parts.append("all met") }
    return "objectives  " + parts.joined(separator: "; ") + "\n"
  }

  /// The report as JSON, its fields in the order that the contract names them.
  var json: JSONValue {
    .object([
      .init("schema", .integer(1)),
      .init("machine", machine.json),
      .init("config_sha256", .text(configurationSHA256)),
      .init("seed", .unsigned(seed)),
      .init("input", .object([.init("name", .text(input.name)), .init("messages", .unsigned(input.messages))])),
      .init(
        "counts",
        .object([
          .init("messages", .unsigned(counts.messages)), .init("triggers", .unsigned(counts.triggers)),
          .init("decisions", .unsigned(counts.decisions)), .init("orders", .unsigned(counts.orders)),
          .init("fills", .unsigned(counts.fills)),
          .init("rejects", .object(counts.rejects.map { .init($0.code, .unsigned($0.count)) })),
        ])),
      .init("rates", .array(rates.map(\.json))),
      .init("retains_per_event", .real(retainsPerEvent)),
      .init("stages", .array(stages.map(\.json))),
      .init("end_to_end", endToEnd?.json ?? .null),
      .init("tick_to_order", tickToOrder?.json ?? .null),
      .init(
        "throughput",
        throughput.map {
          .object([
            .init("messages_per_s", .real($0.messagesPerSecond.rounded())),
            .init("ns_per_message", .real(($0.nanoseconds * 100).rounded() / 100)),
          ])
        } ?? .null),
      .init("allocations_per_event", .real(allocationsPerEvent)),
      .init(
        "hiccup",
        .object([
          .init("p99_ns", .optional(hiccup.p99)), .init("p999_ns", .optional(hiccup.p999)),
          .init("max_ns", .optional(hiccup.max)),
        ])),
      .init("micro", .array(micro.map(\.json))),
      .init("checksum", .text(checksum)),
    ])
  }
}
