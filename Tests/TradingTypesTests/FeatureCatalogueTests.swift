// Goal: one frozen table is the enumeration, its page in Docs and the schema of models. Method: both files are written from the table
// and compared; released names, units and places are held by digests; the rules of the catalogue are counted by hand.

import Foundation
import Testing
import TradingTypes

/// `Sources/TradingTypes/FeatureSlot.swift`, from the table.
private func enumerationFile() -> String {
  var lines = [
    "/// The slots of a `FeatureVector`. An index never changes once released.",
    "///",
    "/// Made from `FeatureCatalogue`, which says more; after a change there",
    "/// `UPDATE_GOLDEN=1 swift test --filter FeatureCatalogueTests` rewrites this file.",
    "@frozen public enum FeatureSlot: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {",
  ]
  for (index, row) in FeatureCatalogue.rows.enumerated() {
    let unit = row.unit == "–" ? "no unit" : row.unit
    lines += ["  /// Slot \(index): \(row.formula); \(row.window); \(unit).", "  case \(row.name) = \(index)"]
  }
  return (lines + ["}"]).joined(separator: "\n") + "\n"
}

/// The table of `Docs/Features.md`.
private func tableLines() -> [String] {
  let head = [
    "| # | Name | Value | Window | Unit | Kind | Full after | Source |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
  ]
  return head
    + FeatureCatalogue.rows.enumerated().map { index, row in
      // A pipe would end the cell.
      let formula = row.formula.replacing("|", with: "\\|")
      return
        "| \(index) | `\(row.name)` | \(formula) | \(row.window) | \(row.unit) | \(row.kind.rawValue) | \(row.input) | \(row.source) |"
    }
}

/// Runs of slots that satisfy `isIncluded`, as 0–36, 87.
private func ranges(where isIncluded: (FeatureSlot) -> Bool) -> String {
  var runs: [ClosedRange<Int>] = []
  for index in FeatureSlot.allCases.filter(isIncluded).map(\.index) {
    if let last = runs.last, last.upperBound == index - 1 {
      runs[runs.count - 1] = last.lowerBound...index
    } else {
      runs.append(index...index)
    }
  }
  return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }.joined(separator: ", ")
}

private func featuresPage() -> String {
  """
  # Features

  What stage 2 computes: \(FeatureCatalogue.rows.count) slots in a vector of \(FeatureVector.count); the last eight are [your own](CustomFeatures.md), or 0. A slot's number never
  changes once released, nor do its name and unit; a model is trained for the names in this order, schema `\(hexadecimal(FeatureSlot.schemaHash))`.

  This page and `FeatureSlot.swift` are made from the table in `Sources/TradingTypes/FeatureCatalogue*.swift`; after a change there
  `UPDATE_GOLDEN=1 swift test --filter FeatureCatalogueTests` rewrites both.

  ## Notation

  | Symbol | Meaning |
  | --- | --- |
  | b, B; a, A | price and size of a bid; of an ask. b₁ is the best; k counts levels from 1 |
  | m; m′; m″ | mid; mid before a trade; mid 5 s after it |
  | d, v, p | sign (+1 bought, −1 sold), size and price of a trade |
  | e₁ … e₅ | what came to the bid and left the ask at a level, less what left the bid and came to the ask |
  | t, Δt | event time, the time since the input before |
  | O, H, L, C, V | a bar's prices and volume; r = ln(C/previous C) |
  | sd, var | with n − 1 in the denominator, where nothing else is said |
  | tick | the feed's price increment, 1e-4 USD for ITCH and LOBSTER |
  | bps | 1e-4 of the mid |

  *Full after* is what must have come in before a slot turns valid. A *book* there is an event that left both sides filled and not
  crossed. An *event* is a message about a resting order or a level, or a hidden trade; auctions, status messages and
  snapshots are none. A *trade* is any print but an auction's; auctions make bars and count for
  `durationEwma`.

  ## Slots

  \(tableLines().joined(separator: "\n"))

  Kinds: `event` slots may change with each message; `bar` slots when a bar closes; `context` slots when a host publishes a value;
  `cross-section` slots when bars of all instruments closed; `engine` slots when another stage hands a result over, after a bar.

  ## Timeframes

  Slots \(ranges(where: \.isBarFeature)) change only when a bar closes and exist once a timeframe. The vector of models holds those of the primary
  timeframe, under their plain names. Those of another timeframe are addressed by its name behind an at sign: `nma9@1s`, `rsi14@5m`,
  `yangZhang@1d`; so are the columns of `martlet features` and the panels of its `--plot`. Slots \(ranges { !$0.isBarFeature }) have no timeframe.

  An engine has one primary timeframe and at most four others, 1 s, 5 min, 1 h and 1 day unless configured (`bars.further`). A timeframe is a span
  that divides a day (`1s`, `5m`, `1h`, `1d`; bars are aligned to midnight), a volume (`volume:1000` lots) or an amount of money (`dollar:5000000` units
  of the quote currency; a bar of either ends with the trade that fills it). Slots 48 and 82–86 exist in the primary timeframe alone. In a program
  `engine.bars(of: id, timeframe: 1, at: now, into: &block)` reads the first of the others; they are evaluated when they are read.

  ## At the command line

  ```
  martlet features --feed itch50 --input day.itch50 --symbol GOOG --bar 1s,5m --output goog.csv
  martlet features --feed itch50 --input day.itch50 --symbol GOOG --bar 1s --plot goog.svg --slots mid,ofiNorm,nma9@1s
  martlet features --bars daily.csv --plot daily.svg
  ```

  The first prints a row a message with a column a slot, the others draw slots over time, one panel each; grey is where a slot is not valid.

  ## States and masks

  A slot is *warming* until its window is full, then *valid*, and *stale* while its input is older than the configured age or its book
  is not usable. A vector has two masks of \(FeatureVector.count) bits, `valid` and `stale`; a slot with neither bit is warming, and none has both.
  As text a mask is 24 hexadecimal digits, slot 0 rightmost: `000000000000000000000001` is `\(FeatureSlot.mid.name)` alone.

  A warming slot holds the value over what came in so far, 0 where that is undefined; a stale one holds its last value. No slot is ever
  NaN or infinite.

  ## Edge rules

  - **Zero denominator:** the ratio is 0. `bollingerPctB` of a flat window is 0.5, the middle of its bands; `rsi14` of one is 0, as in TA-Lib.
  - **Unusable book:** with a side empty or the sides crossed slots 0–17 keep their values and are stale; decays pause.
  - **No volume:** a bar without volume leaves `amihud` to the other bars of its window.
  - **Time running backwards:** the message counts as at the latest time seen, Δt is 0, and `outOfOrder` counts it.
  - **Trade without a side:** above the mid before it a trade was bought, below it sold; at the mid it has the sign of the trade before.
  - **Integers:** prices and sizes stay whole numbers up to the last division, so that the z-score of a constant spread is 0.
  - **Windows:** sums of integers are exact; moments are formed from their window afresh, or kept up with a rebuild wherever digits could be
    lost, so what left a window leaves no trace.
  - **Refused input:** a value that is not finite or out of its range changes nothing and is counted.

  """
}

/// Compares the file at `path` of the package with `text`, after rewriting it where `UPDATE_GOLDEN=1` asks for that.
private func expectFile(_ path: String, is text: String) throws {
  let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../\(path)")
    .standardizedFileURL
  if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
    try Data(text.utf8).write(to: url, options: .atomic)
  }
  let found = try String(contentsOf: url, encoding: .utf8)
  #expect(found == text, "\(path) is not what the table says; UPDATE_GOLDEN=1 rewrites it")
}

@Suite struct FeatureCatalogueTests {
  /// Index, name and unit of a row: what never changes once released.
  private typealias Frozen = (index: Int, name: String, unit: String)

  private func digest(_ rows: [Frozen]) -> String {
    var hash = SHA256()
    for row in rows { hash.combine(Array("\(row.index),\(row.name),\(row.unit)\n".utf8)) }
    return hash.hex
  }

  @Test func `the enumeration is the table`() throws {
    try expectFile("Sources/TradingTypes/FeatureSlot.swift", is: enumerationFile())
    #expect(FeatureSlot.allCases.map(\.index) == Array(FeatureCatalogue.rows.indices))
    // By reflection, which knows nothing of the table.
    #expect(FeatureSlot.allCases.map { "\($0)" } == FeatureCatalogue.rows.map(\.name))
    #expect(MemoryLayout<FeatureSlot>.size == 1)
  }

  @Test func `the page in Docs is the table`() throws {
    try expectFile("Docs/Features.md", is: featuresPage())
  }

  @Test func `a released row keeps its place, name and unit`() {
    let released = FeatureCatalogue.rows.prefix(88).enumerated().map {
      Frozen($0.offset, $0.element.name, $0.element.unit)
    }
    let frozen = "764156e6f1f5c9481fc7d2d94b27edd167506d20a42c6855ea5f17e224d6612d"
    #expect(digest(released) == frozen, "a released slot was changed; models and files out there name it")
    // The digest sees each part of each row.
    for place in released.indices {
      for change in [Frozen(1, "", ""), Frozen(0, "x", ""), Frozen(0, "", "x")] {
        var rows = released
        rows[place].index += change.index
        rows[place].name += change.name
        rows[place].unit += change.unit
        #expect(digest(rows) != frozen)
      }
    }
  }

  @Test func `models that were frozen still fit`() {
    #expect(FeatureSlot.schemaHash == 0x16cf_9eb7_6ca7_cd72)
  }

  @Test func `bar features are those of the catalogue's ranges`() {
    let ranges = [37...73, 75...77, 79...79, 82...86]
    for slot in FeatureSlot.allCases {
      #expect(slot.isBarFeature == ranges.contains { $0.contains(slot.index) }, "\(slot)")
    }
    func slots(_ kind: FeatureDefinition.Kind) -> [Int] {
      FeatureSlot.allCases.filter { $0.definition.kind == kind }.map(\.index)
    }
    #expect(slots(.event) == Array(0...36) + [87])
    #expect(slots(.context) == [74, 78, 80, 81])
    #expect(slots(.crossSection) == [85, 86])
    #expect(slots(.engine) == [48, 82, 83, 84])
  }

  @Test func `every row is whole, and its name finds it`() {
    let names = FeatureCatalogue.rows.map(\.name)
    #expect(Set(names).count == names.count)
    for (index, row) in FeatureCatalogue.rows.enumerated() {
      // Names stand in CSV headers, before an at sign, and as identifiers.
      #expect(row.name.utf8.allSatisfy { $0 < 128 } && row.name.allSatisfy { $0.isLetter || $0.isNumber })
      for text in [row.formula, row.window, row.unit, row.source, "\(row.input)"] {
        #expect(!text.isEmpty && !text.contains("\n"), "\(row.name)")
      }
      #expect(FeatureCatalogue.slot(named: row.name)?.index == index)
    }
    #expect(FeatureCatalogue.slot(named: "Mid") == nil && FeatureCatalogue.slot(named: "") == nil)
  }
}
