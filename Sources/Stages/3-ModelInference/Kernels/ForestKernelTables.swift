internal import CKernels
internal import LockFreeRings

// Sizes alone are safe to ask; the types are not, for the pointers inside.
private let martletForestBytes = unsafe MemoryLayout<martlet_forest>.stride
private let martletCategoryBytes = MemoryLayout<martlet_category>.stride
private let martletWindowBytes = MemoryLayout<martlet_window>.stride

/// Everything a kernel reads of a forest, as lists; `place(in:)` copies it into arena memory.
struct ForestKernelTables {
  let forest: DecisionForest
  let lookups: ForestLookups
  let layout: ForestLayout
  private var searchFeatures: [UInt32] = []
  private var searchRules: [UInt8] = []
  private var searchPlaces: [UInt8] = []
  private var searchShort: [Float] = []
  private var searchLong: [Float] = []
  private var watchMissing: [UInt16]
  private var watchZero: [UInt16]
  private var categories: [martlet_category] = []
  // A word more, so that an empty set has one to read.
  private var categoryWords: [UInt32] = [0]

  /// The tables of `form`, or of the fastest form of `set`; nil where the forest or the set has not that form.
  ///
  /// - Parameter keepsColumns: whether columns that no tree uses are searched too, for other forests.
  init?(_ forest: DecisionForest, set: KernelSet, form: ForestForm?, keepsColumns: Bool = false) {
    self.forest = forest
    lookups = ForestLookups(forest, keepsAll: keepsColumns)
    var chosen: ForestLayout?
    for candidate in form.map({ [$0] }) ?? ForestLayout.preference(set: set) {
      guard martlet_forest_has(Int32(set.resolved.rawValue), candidate.rawValue) else { continue }
      chosen = ForestLayout(lookups, as: candidate)
      if chosen != nil { break }
    }
    guard let chosen else { return nil }
    layout = chosen
    let groups = (forest.featureCount + 15) / 16
    watchMissing = [UInt16](repeating: 0, count: groups)
    watchZero = [UInt16](repeating: 0, count: groups)
    for column in lookups.shortColumns + lookups.longColumns { addSearch(column) }
    // As many as a kernel reads at once.
    let room = max(0, Int(MARTLET_LOOKUPS) - searchRules.count)
    searchPlaces = searchFeatures.map { UInt8(truncatingIfNeeded: $0) } + [UInt8](repeating: 0, count: room)
    searchRules += [UInt8](repeating: 0, count: room)
    for test in lookups.categoryTests { addCategory(test, forest.columns[test.column]) }
  }

  /// Rows of 16 thresholds, padded with infinity, which no value exceeds.
  private mutating func addSearch(_ column: DecisionForest.Column) {
    guard case .thresholds(let list, let missing) = column.sight else { return }
    searchFeatures.append(UInt32(column.feature))
    searchRules.append(missing.rawValue)
    let bit: UInt16 = 1 << UInt16(column.feature % 16)
    // A NaN is never compared as it is; a zero only matters where it counts as missing.
    watchMissing[column.feature / 16] |= bit
    if missing == .nanOrZero { watchZero[column.feature / 16] |= bit }
    if list.count <= 16 {
      searchShort += list + [Float](repeating: .infinity, count: 16 - list.count)
    } else {
      let all = list + [Float](repeating: .infinity, count: 256 - list.count)
      searchLong += (0..<16).map { all[16 * $0 + 15] } + all
    }
  }

  private mutating func addCategory(_ test: ForestLookups.CategoryTest, _ column: DecisionForest.Column) {
    guard case .categories(let sets, let rule) = column.sight else { return }
    let set = sets[test.test]
    let isLightGBM = rule == .lightGBM
    categories.append(
      martlet_category(
        feature: UInt32(column.feature), word: UInt32(set.isEmpty ? 0 : categoryWords.count),
        // Exact: at most 2^24.
        limit: Float(32 * set.count), floor: isLightGBM ? -1 : -Float.leastNonzeroMagnitude,
        outside: isLightGBM ? 1 : 0, missing: isLightGBM || test.missingGoesRight ? 1 : 0, reserved: (0, 0)))
    categoryWords += set
  }

  private var scratchBytes: Int { 2 * lookups.stride + 4 * searchFeatures.count + searchRules.count + 64 }

  /// Bytes of arena memory, padding included.
  var arenaBytes: Int {
    // Two lists of a stated type: one long one takes the type checker seconds.
    let search: [Int] = [
      8 * searchFeatures.count, searchRules.count, searchPlaces.count, 4 * searchShort.count, 4 * searchLong.count,
      2 * watchMissing.count, 2 * watchZero.count, martletCategoryBytes * categories.count, 4 * categoryWords.count,
      scratchBytes,
    ]
    let trees: [Int] = [
      martletForestBytes, layout.tables.count, martletWindowBytes * layout.windows.count, 4 * layout.roots.count,
      2 * layout.places.count, 4 * layout.leafStart.count, 8 * layout.leaves.count, 4 * layout.leafNumbers.count,
      24 * forest.outputCount,
    ]
    // Each list begins at a multiple of 128 bytes.
    return (search + trees).reduce(4096) { $0 + $1 + 256 }
  }

  /// Copies the tables into `arena`.
  ///
  /// - Parameters:
  ///   - readsBoth: whether any forest with these lookups, this one or another, has the form lock-step.
  ///   - leader: tables of a forest with the same columns, whose search and lookups this one shares; nil for its own.
  func place(
    in arena: Arena, readsBoth: Bool, sharing leader: UnsafeMutableRawPointer? = nil
  ) -> UnsafeMutableRawPointer {
    let table = unsafe arena.room(for: martlet_forest.self)
    let isSingle = forest.accumulation == .single
    // What is summed in single precision is exactly a Float, so nothing is lost.
    let single = isSingle ? layout.leaves.map { Float($0) } : []
    let double = isSingle ? [] : layout.leaves
    // What is shared, from a leader that was placed before.
    let search: Search
    if let leader = unsafe leader {
      let first = unsafe leader.assumingMemoryBound(to: martlet_forest.self)
      unsafe search = Search(
        features: first.pointee.search_features, rules: first.pointee.search_rules,
        places: first.pointee.search_places, identity: first.pointee.search_identity, short: first.pointee.search_short,
        long: first.pointee.search_long,
        missing: first.pointee.watch_missing, zero: first.pointee.watch_zero, categories: first.pointee.categories,
        words: first.pointee.category_words, scratch: first.pointee.scratch)
    } else {
      unsafe search = placeSearch(in: arena)
    }
    unsafe table.initialize(
      to: martlet_forest(
        form: layout.form.rawValue, tree_count: UInt32(forest.trees.count), output_count: UInt32(forest.outputCount),
        is_single: isSingle ? 1 : 0, short_count: UInt32(lookups.shortColumns.count),
        long_count: UInt32(lookups.longColumns.count), category_count: UInt32(categories.count),
        lookup_stride: UInt32(lookups.stride), reads_both: readsBoth ? 1 : 0, search_features: search.features,
        search_rules: search.rules, search_places: search.places, search_identity: search.identity,
        search_short: search.short,
        search_long: search.long, watch_missing: search.missing, watch_zero: search.zero,
        watch_count: UInt32(watchMissing.count), categories: search.categories, category_words: search.words,
        scratch: search.scratch,
        tables: arena.copy(layout.tables), windows: arena.copy(layout.windows), roots: arena.copy(layout.roots),
        places: arena.copy(layout.places), order: arena.copy(layout.order), leaf_start: arena.copy(layout.leafStart),
        leaf_stride: UInt32(layout.leafStride), window_trees: UInt32(layout.window), leaves: arena.copy(double),
        leaves_single: arena.copy(single), leaf_numbers: arena.copy(layout.leafNumbers)))
    return UnsafeMutableRawPointer(table)
  }

  /// The tables that forests with the same columns share.
  @unsafe private struct Search {
    let features: UnsafePointer<UInt32>
    let rules: UnsafePointer<UInt8>
    let places: UnsafePointer<UInt8>
    let identity: UnsafePointer<UInt32>
    let short: UnsafePointer<Float>
    let long: UnsafePointer<Float>
    let missing: UnsafePointer<UInt16>
    let zero: UnsafePointer<UInt16>
    let categories: UnsafePointer<martlet_category>
    let words: UnsafePointer<UInt32>
    let scratch: UnsafeMutablePointer<UInt8>
  }

  private func placeSearch(in arena: Arena) -> Search {
    let identity = searchFeatures.indices.map { UInt32($0) }
    return unsafe Search(
      features: arena.copy(searchFeatures), rules: arena.copy(searchRules), places: arena.copy(searchPlaces),
      identity: arena.copy(identity),
      short: arena.copy(searchShort), long: arena.copy(searchLong), missing: arena.copy(watchMissing),
      zero: arena.copy(watchZero), categories: arena.copy(categories), words: arena.copy(categoryWords),
      scratch: arena.room(for: UInt8.self, count: scratchBytes))
  }
}
