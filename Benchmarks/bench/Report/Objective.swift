/// What a stage promises and what we hold ourselves to, in nanoseconds.
struct Objective: Equatable {
  /// The stage or row, as reports name it.
  var name: String
  /// The floor: p99 stays below it.
  var slo: Int64
  /// The p99 published for the platform, where there is one.
  var publishedP99: Int64?
  /// Our target for the median.
  var targetP50: Int64
  /// Our target for p99.
  var targetP99: Int64
  /// Our target for p99.9.
  var targetP999: Int64

  /// The objectives of the stages, of a decision, and of a decision that sends orders.
  ///
  /// Changing a line is a reviewed change with its reason.
  static let all: [Objective] = [
    Objective(name: "ingest", slo: ms(10), targetP50: 60, targetP99: 300, targetP999: us(1)),
    Objective(name: "features", slo: ms(50), targetP50: 400, targetP99: us(1), targetP999: us(3)),
    Objective(
      name: "inference", slo: ms(1), publishedP99: us(800), targetP50: 2_500, targetP99: 4_500, targetP999: us(10)),
    Objective(name: "regime", slo: ms(1), targetP50: 100, targetP99: 300, targetP999: us(1)),
    Objective(name: "sizing", slo: ms(5), targetP50: 150, targetP99: 500, targetP999: us(1)),
    Objective(name: "pretrade", slo: us(50), publishedP99: us(42), targetP50: 200, targetP99: 500, targetP999: us(1)),
    Objective(name: "routing", slo: ms(30), targetP50: 500, targetP99: 1_500, targetP999: us(3)),
    Objective(
      name: "end_to_end", slo: ms(200), publishedP99: ms(187), targetP50: 4_500, targetP99: us(8), targetP999: us(15)),
    Objective(
      name: "tick_to_order", slo: ms(200), publishedP99: ms(187), targetP50: 4_500, targetP99: us(8), targetP999: us(15)
    ),
  ]

  /// The objective of a stage or row.
  static func named(_ name: String) -> Objective? { all.first { $0.name == name } }

  private static func us(_ count: Int64) -> Int64 { count * 1_000 }
  private static func ms(_ count: Int64) -> Int64 { count * 1_000_000 }
}
