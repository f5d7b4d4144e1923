import Foundation
import LockFreeRings
import SignalFeatures
import TradingTypes

/// `martlet features --bars`: bar slots of a file of bars.
struct BarFile {
  let path: String

  /// Prints a row for every `every`-th bar into `text`, and draws what `plotting` asks for.
  func printFeatures(into text: OutputText?, _ plotting: FeaturePlotOptions, every: Int, force: Bool) throws {
    let file = try CSVText(path, expecting: ["date", "open", "high", "low", "close", "volume"])
    let day: Int64 = 86_400
    var configuration = FeatureConfiguration()
    configuration.primaryBars = .time(.seconds(day))
    configuration.furtherBars = []
    let arena = Arena(capacityBytes: 64 << 20)
    var engine: FeatureEngine
    do {
      engine = try FeatureEngine(instrumentCount: 1, configuration: configuration, in: arena)
    } catch { throw ToolFailure.badInput(error) }
    let slots = FeatureSlot.allCases.filter(\.isBarFeature)
    text?.write("date")
    for slot in slots { text?.write(",\(slot.name)") }
    text?.write(",valid_mask\n")
    // Bars whose dates are none, or out of order, are drawn by number.
    let days = file.rows.compactMap { daysSinceEpoch(String($0[0])) }
    let isDated = days.count == file.rows.count && zip(days, days.dropFirst()).allSatisfy(<=)
    let plot = try plotting.open(
      standard: [.nma20, .rsi14, .macdHistNorm, .volumeZ60, .yangZhang, .drawdown250], computed: slots.contains,
      title: URL(fileURLWithPath: path).lastPathComponent, axis: isDated ? .clock : .rows,
      axisTitle: isDated ? "date" : "bar", force: force)

    let id = InstrumentID(index: 0)
    var vector = FeatureVector()
    var seen = FeatureMask()
    var previous: Price?
    for (index, row) in file.rows.enumerated() {
      func price(_ column: Int) throws -> Price {
        guard let price = Price(decimal: row[column]), price > .zero else {
          throw file.refusal(index, column, "a positive decimal with at most nine places")
        }
        return price
      }
      guard !row[0].isEmpty else { throw file.refusal(index, 0, "a date") }
      guard let volume = Int64(row[5]), volume >= 0 else { throw file.refusal(index, 5, "a whole number, 0 or more") }
      let end = Timestamp(nanoseconds: (Int64(index) + 1) * day * 1_000_000_000)
      let bar = ClosedBar(
        endTime: end, open: try price(1), high: try price(2), low: try price(3), close: try price(4),
        volume: Quantity(lots: volume), previousClose: previous)
      guard engine.takeBar(bar, of: id) else {
        throw file.refusal(index, 2, "low ≤ open, close ≤ high")
      }
      previous = bar.close
      engine.vector(of: id, depth: DepthView(), at: end, into: &vector)
      for slot in slots where vector[slot] != 0 || vector.valid[slot] { seen[slot] = true }
      guard (index + 1) % every == 0 else { continue }
      let place = isDated ? days[index] * day * 1_000_000_000 : Int64(index) + 1
      plot?.add(at: Timestamp(nanoseconds: place)) { PlotValue(vector, $0.slot) }
      guard let text else { continue }
      text.write(row[0])
      for slot in slots {
        text.write(byte: UInt8(ascii: ","))
        if seen[slot] { text.write(vector[slot]) }
      }
      text.write(byte: UInt8(ascii: ","))
      text.write(vector.valid.hex)
      text.write(byte: UInt8(ascii: "\n"))
    }
    try plot?.finish()
  }
}
