import SignalFeatures
import TradingTypes

/// What a panel of a plot shows: a slot, of the primary timeframe or of another.
struct FeaturePlotColumn: Equatable {
  let slot: FeatureSlot
  /// Name of a further timeframe; nil is the primary one, and all there is of slots that are no bar features.
  let frame: String?

  init(_ slot: FeatureSlot, frame: String? = nil) {
    self.slot = slot
    self.frame = frame
  }

  /// As in the header of the CSV: `nma9@1s`.
  var name: String { slot.name + (frame.map { "@" + $0 } ?? "") }

  /// Panels at most: more are no picture.
  static let countMax = 24

  /// Reads names such as `mid,nma9@1s`.
  ///
  /// - Parameters:
  ///   - computed: the slots there are.
  ///   - frames: names of the further timeframes there are.
  /// - Throws: `ToolFailure` that tells names like the one that is none.
  static func list(
    _ text: String, computed: (FeatureSlot) -> Bool, frames: [String]
  ) throws(ToolFailure) -> [FeaturePlotColumn] {
    var columns: [FeaturePlotColumn] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      let column = try column(word, computed, frames)
      guard !columns.contains(column) else { throw .badInput("--slots \(word): stands twice") }
      columns.append(column)
    }
    guard columns.count <= countMax else {
      throw .badInput("--slots: at most \(countMax) names expected, \(columns.count) found")
    }
    return columns
  }

  private static func column(
    _ word: Substring, _ computed: (FeatureSlot) -> Bool, _ frames: [String]
  ) throws(ToolFailure) -> FeaturePlotColumn {
    let parts = word.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let slot = FeatureCatalogue.slot(named: parts[0]) else {
      let near = names(near: String(parts[0]), among: FeatureSlot.allCases.filter(computed).map(\.name))
      throw .badInput(
        "--slots \(word): no slot has this name; "
          + (near.isEmpty ? "Docs/Features.md lists them" : "near it are \(near.joined(separator: ", "))"))
    }
    guard computed(slot) else { throw .badInput("--slots \(word): this slot is not computed here") }
    guard parts.count > 1 else { return FeaturePlotColumn(slot) }
    guard slot.isBarFeature else {
      throw .badInput("--slots \(word): only slots of bars have timeframes, and \(slot.name) is none of them")
    }
    // Sixty minutes are an hour, however they are written.
    let frame = BarRule(parts[1])?.name ?? String(parts[1])
    guard frames.contains(frame) else {
      let there = frames.isEmpty ? "no further one is" : "\(frames.joined(separator: ", ")) expected"
      throw .badInput("--slots \(word): the timeframe \(frame) is not computed, \(there)")
    }
    return FeaturePlotColumn(slot, frame: frame)
  }

  /// At most four of `names`, nearest first: those that contain `word` or are a few letters away from it.
  static func names(near word: String, among names: [String]) -> [String] {
    let word = word.lowercased()
    guard !word.isEmpty else { return [] }
    let distances = names.map { name in
      let lower = name.lowercased()
      let distance = editDistance(Array(word.utf8), Array(lower.utf8))
      // Half a name is near the whole, whatever its length.
      return (name: name, distance: word.count > 2 && lower.contains(word) ? min(distance, 1) : distance)
    }
    let near = distances.filter { $0.distance <= max(1, min(3, word.count / 3)) }
    return near.enumerated().sorted { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }.prefix(4)
      .map(\.element.name)
  }

  /// Letters to insert, delete or replace to turn one word into the other, two neighbours that changed places counting as one.
  ///
  /// - Complexity: O(product of the lengths).
  static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    // Rows of the table for the prefixes of `left` that are two shorter, one shorter, and the current one.
    var before: [Int] = []
    var above = Array(0...right.count)
    for (i, letter) in left.enumerated() {
      var row = [i + 1]
      for (j, other) in right.enumerated() {
        var least = min(above[j + 1] + 1, row[j] + 1, above[j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other { least = min(least, before[j - 1] + 1) }
        row.append(least)
      }
      (before, above) = (above, row)
    }
    return above[right.count]
  }
}
