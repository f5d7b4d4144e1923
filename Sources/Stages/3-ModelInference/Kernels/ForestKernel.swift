internal import CKernels
public import LockFreeRings

/// A forest in arena memory, in the form that suits its shape and the processor.
///
/// Raw scores have the bits of `DecisionForest.rawReference`, whatever the form and the instruction set. A kernel is for
/// one thread at a time: it keeps the lookups of the row at hand.
///
/// ```
///  KernelRow (f32) ──► lookups (u8) ──► exits of 64 trees ──► leaves, added in tree order ──► raw scores
/// ```
///
/// - Source: Lucchese et al. 2015 (QuickScorer, SIGIR) for the bitvectors. Differs: one row, 64 trees side by side.
@safe @frozen public struct ForestKernel: ~Copyable {
  /// Features a row must have.
  public let featureCount: Int
  /// Raw scores a row gets.
  public let outputCount: Int
  /// Trees.
  public let treeCount: Int
  /// How the trees lie in memory.
  public let form: ForestForm
  /// The instruction set that is used.
  public let set: KernelSet
  // A martlet_forest.
  @usableFromInline let table: UnsafeMutableRawPointer
  // Start, bias and sum of each output.
  @usableFromInline let outputs: UnsafeMutablePointer<Double>
  @usableFromInline let scale: Double
  // Keeps the memory alive; not touched after `init`.
  @usableFromInline let owner: Arena

  /// Lays a forest out in `arena`, in the form that is fastest for its shape.
  ///
  /// - Precondition: `forest.fault` is nil, the processor has `set`, and the arena has `arenaBytes(for:)`.
  /// - Complexity: O(nodes × log trees), allocates lists on the way. Not for the hot path.
  public init(_ forest: DecisionForest, set: KernelSet = .best, in arena: Arena) {
    // Every set has lock-step, which fits every forest.
    self.init(forest, set: set, form: nil, in: arena)!
  }

  /// Lays a forest out in one form, or gives nil where the forest does not fit it or `set` does not have it.
  ///
  /// - Parameter form: nil for the fastest.
  /// - Precondition: as of the other initialiser.
  public init?(_ forest: DecisionForest, set: KernelSet, form: ForestForm?, in arena: Arena) {
    let fault = forest.fault
    precondition(fault == nil, "ForestKernel: the forest is sound, with \(fault ?? "")")
    precondition(set.isSupported, "ForestKernel: this processor has the instruction set \(set)")
    guard let tables = ForestKernelTables(forest, set: set, form: form) else { return nil }
    // Nothing is shared, so no pointer goes in.
    unsafe self.init(tables, set: set, readsBoth: tables.layout.form == .lockStep, sharing: nil, in: arena)
  }

  /// Copies tables into `arena`; see `ForestKernelTables.place`.
  private init(
    _ tables: ForestKernelTables, set: KernelSet, readsBoth: Bool, sharing leader: UnsafeMutableRawPointer?,
    in arena: Arena
  ) {
    let forest = tables.forest
    featureCount = forest.featureCount
    outputCount = forest.outputCount
    treeCount = forest.trees.count
    form = tables.layout.form
    self.set = set.resolved
    // The leader is a table of the same columns.
    unsafe table = tables.place(in: arena, readsBoth: readsBoth, sharing: leader)
    unsafe outputs = arena.room(for: Double.self, count: 3 * forest.outputCount)
    for output in 0..<forest.outputCount {
      // In bounds: three lists of `outputCount`.
      unsafe outputs[output] = forest.start[output]
      unsafe outputs[forest.outputCount + output] = forest.bias[output]
      unsafe outputs[2 * forest.outputCount + output] = 0
    }
    scale = forest.scale
    owner = arena
  }

  /// Bytes a forest takes from its arena: the most of the given set and form, or of every set of this processor.
  ///
  /// - Complexity: that of laying it out.
  public static func arenaBytes(for forest: DecisionForest, set: KernelSet? = nil, form: ForestForm? = nil) -> Int {
    let sets = set.map { [$0] } ?? KernelSet.supported
    return sets.compactMap { ForestKernelTables(forest, set: $0, form: form)?.arenaBytes }.max() ?? 4096
  }

  /// The raw score of output 0.
  ///
  /// - Precondition: the row has at least `featureCount` features.
  /// - Complexity: O(trees × depth) at most, no allocation.
  public func raw(_ row: borrowing KernelRow) -> Double {
    sum(row)
    // In bounds: three lists of `outputCount`, each at least 1.
    let sum = unsafe outputs[2 * outputCount]
    let bias = unsafe outputs[outputCount]
    return sum * scale + bias
  }

  /// The raw score of each output.
  ///
  /// - Parameter scores: Double, `[outputCount]`, overwritten.
  /// - Precondition: the row has at least `featureCount` features, `scores` has `outputCount` places.
  /// - Complexity: O(trees × depth) at most, no allocation.
  public func raw(_ row: borrowing KernelRow, into scores: inout MutableSpan<Double>) {
    precondition(scores.count == outputCount, "ForestKernel: a place for each output")
    sum(row)
    for output in 0..<outputCount {
      // In bounds: three lists of `outputCount`.
      let sum = unsafe outputs[2 * outputCount + output]
      let bias = unsafe outputs[outputCount + output]
      scores[output] = sum * scale + bias
    }
  }

  /// The exit leaf of each tree, as the trainer numbers leaves.
  ///
  /// - Precondition: the row has at least `featureCount` features.
  /// - Complexity: as `raw`, but allocates the list. Not for the hot path.
  public func exitLeaves(_ row: borrowing KernelRow) -> [UInt32] {
    precondition(row.featureCount >= featureCount, "ForestKernel: the row has the features of the forest")
    var numbers = [UInt32](repeating: 0, count: treeCount)
    let choice = Int32(set.rawValue)
    let values = unsafe row.values
    unsafe numbers.withUnsafeMutableBufferPointer { buffer in
      // In bounds: one number a tree; the row was checked above.
      unsafe martlet_forest_leaves(
        choice, table.assumingMemoryBound(to: martlet_forest.self), values, buffer.baseAddress!)
    }
    return numbers
  }

  private func sum(_ row: borrowing KernelRow) {
    precondition(row.featureCount >= featureCount, "ForestKernel: the row has the features of the forest")
    let sums = unsafe outputs + 2 * outputCount
    // In bounds: three lists of `outputCount`; the row was checked above, and the tables belong to the set.
    unsafe sums.update(from: outputs, count: outputCount)
    unsafe martlet_forest_sums(
      Int32(set.rawValue), table.assumingMemoryBound(to: martlet_forest.self), row.values, sums)
  }
}

// Several forests that read the same rows, where one search does for those that ask the same columns.
extension ForestKernel {
  /// Lays forests out one behind the other, those that can share their lookups sharing them.
  ///
  /// - Parameter kernels: room for as many kernels as forests, initialised in their order.
  /// - Returns: the number of each forest's lookups: equal where they are shared, below the number of forests.
  /// - Precondition: each forest is sound, the processor has `set`, and the arena has `arenaBytes(sharing:)`.
  /// - Complexity: that of laying each out. Not for the hot path.
  @unsafe static func initialize(
    _ kernels: UnsafeMutablePointer<ForestKernel>, _ forests: [DecisionForest], set: KernelSet, in arena: Arena
  ) -> [Int] {
    precondition(set.isSupported, "ForestKernel: this processor has the instruction set \(set)")
    var numbers = [Int](repeating: 0, count: forests.count)
    for (number, sharing) in DecisionForest.sharings(forests).enumerated() {
      let list = tables(of: sharing, in: forests, set: set)
      let readsBoth = list.contains { $0.layout.form == .lockStep }
      var leader: UnsafeMutableRawPointer?
      for (member, tables) in zip(sharing.members, list) {
        // In bounds: a member is a place among the forests.
        unsafe (kernels + member).initialize(
          to: ForestKernel(tables, set: set, readsBoth: readsBoth, sharing: leader, in: arena))
        if unsafe leader == nil { unsafe leader = kernels[member].table }
        numbers[member] = number
      }
    }
    return numbers
  }

  /// Bytes that forests laid out together take from their arena: the most of every set of this processor.
  static func arenaBytes(sharing forests: [DecisionForest]) -> Int {
    let sharings = DecisionForest.sharings(forests)
    let sizes = KernelSet.supported.map { set in
      sharings.reduce(0) { $0 + tables(of: $1, in: forests, set: set).reduce(0) { $0 + $1.arenaBytes } }
    }
    return sizes.max() ?? 0
  }

  private static func tables(
    of sharing: DecisionForest.Sharing, in forests: [DecisionForest], set: KernelSet
  ) -> [ForestKernelTables] {
    sharing.members.map { member in
      let isAlone = sharing.members.count == 1
      let forest = isAlone ? forests[member] : forests[member].asking(sharing.columns)
      // Every set has lock-step, which fits every forest.
      return ForestKernelTables(forest, set: set, form: nil, keepsColumns: !isAlone)!
    }
  }

  /// Finds the bins of a row, for this forest and all that share its lookups, and whether something is missing.
  ///
  /// - Precondition: the row has at least `featureCount` features.
  func bins(_ row: borrowing KernelRow) -> Bool {
    precondition(row.featureCount >= featureCount, "ForestKernel: the row has the features of the forest")
    // In bounds: the row was checked, and the tables belong to the set.
    return unsafe martlet_forest_bins(
      Int32(set.rawValue), table.assumingMemoryBound(to: martlet_forest.self), row.values)
  }

  /// The raw score of output 0, from the bins that were found last.
  ///
  /// - Parameter hasMissing: what `bins` gave for the row.
  func rawBinned(hasMissing: Bool) -> Double {
    let sums = unsafe outputs + 2 * outputCount
    // In bounds: three lists of `outputCount`, each at least 1; the tables belong to the set.
    unsafe sums.update(from: outputs, count: outputCount)
    unsafe martlet_forest_binned_sums(
      Int32(set.rawValue), table.assumingMemoryBound(to: martlet_forest.self), hasMissing, sums)
    let bias = unsafe outputs[outputCount]
    return unsafe sums[0] * scale + bias
  }
}
