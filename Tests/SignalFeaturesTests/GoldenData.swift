import Foundation
import TestSupport
import TradingTypes

/// One series of a golden file.
struct GoldenSeries: Decodable {
  let values: [String: Double?]
  let sum: Double
  let sumAbs: Double
  let validCount: Int

  enum CodingKeys: String, CodingKey {
    case values, sum
    case sumAbs = "sum_abs"
    case validCount = "n_valid"
  }

  /// The largest error the file allows at a value.
  func tolerance(at value: Double, relative: Double = 1e-9) -> Double {
    relative * max(abs(value), sumAbs / Double(max(1, validCount)))
  }

  /// What disagrees with `series` (nil = not a number there), or nothing.
  func mismatches(_ series: [Double?], relative: Double = 1e-9) -> [String] {
    var found: [String] = []
    for (key, expected) in values {
      let actual = series[Int(key)!]
      guard let expected, let actual else {
        if expected != nil || actual != nil {
          found.append("\(key): \(String(describing: actual)), expected \(String(describing: expected))")
        }
        continue
      }
      if abs(actual - expected) > tolerance(at: expected, relative: relative) {
        found.append("\(key): \(actual), expected \(expected)")
      }
    }
    let valid = series.compactMap { $0 }
    if valid.count != validCount { found.append("\(valid.count) values, expected \(validCount)") }
    let total = valid.reduce(0, +)
    if abs(total - sum) > relative * sumAbs { found.append("sum \(total), expected \(sum)") }
    let totalAbs = valid.reduce(0) { $0 + abs($1) }
    if abs(totalAbs - sumAbs) > relative * sumAbs { found.append("sum of sizes \(totalAbs), expected \(sumAbs)") }
    return found
  }
}

/// The book and trade features of the LOBSTER sample.
struct MicrostructureGolden: Decodable {
  let perEvent: [String: GoldenSeries]
  let perTrade: [String: GoldenSeries]

  enum CodingKeys: String, CodingKey {
    case perEvent = "per_event"
    case perTrade = "per_trade"
  }

  static func load() throws -> MicrostructureGolden {
    try JSONDecoder().decode(
      MicrostructureGolden.self, from: Data(contentsOf: SharedData.file("golden/microstructure.json")!))
  }
}

/// Whether the shared golden files are there.
let hasGolden = SharedData.file("golden/microstructure.json") != nil

/// The LOBSTER sample as events: each row's book is the book after its message.
func lobsterRows() throws -> [BookRow] {
  let text = try String(contentsOf: SharedData.file("golden/lob_aapl_20120621.csv")!, encoding: .utf8)
  var rows: [BookRow] = []
  var previous = DepthView()
  for (number, line) in text.split(separator: "\n").dropFirst().enumerated() {
    let fields = line.split(separator: ",")
    let whole = fields[0].split(separator: ".")
    let fraction = whole.count > 1 ? whole[1] + String(repeating: "0", count: 9 - whole[1].count) : "0"
    let time = Timestamp(nanoseconds: Int64(whole[0])! * 1_000_000_000 + Int64(fraction)!)
    let numbers = fields.dropFirst().map { Int64($0)! }
    var depth = DepthView()
    for level in 0..<10 {
      let base = 5 + 4 * level
      depth.asks[level] = DepthLevel(
        price: Price(nanos: numbers[base] * 100_000), quantity: Quantity(lots: numbers[base + 1]))
      depth.bids[level] = DepthLevel(
        price: Price(nanos: numbers[base + 2] * 100_000), quantity: Quantity(lots: numbers[base + 3]))
    }
    depth.bidCount = 10
    depth.askCount = 10
    let kinds: [Int64: MarketEventKind] = [
      1: .addOrder, 2: .reduceOrder, 3: .deleteOrder, 4: .executeOrder, 5: .trade,
    ]
    let side: Side = numbers[4] == 1 ? .buy : .sell
    let price = Price(nanos: numbers[3] * 100_000)
    let quantity = Quantity(lots: numbers[2])
    let event = MarketEvent(
      kind: kinds[numbers[0]]!, sequence: UInt64(number + 1), time: time, instrument: InstrumentID(index: 0),
      reference: OrderReference(value: UInt64(numbers[1])), side: side, price: price, quantity: quantity,
      flags: [.hasSide, .printable])
    let effect = BookEffect(
      event.kind == .trade ? .ignored : .applied, side: side, price: price, quantity: quantity,
      bestChanged: !areEqual(depth, previous, levels: 1), depthChanged: !areEqual(depth, previous, levels: 10))
    rows.append(BookRow(event: event, effect: effect, depth: depth))
    previous = depth
  }
  return rows
}
