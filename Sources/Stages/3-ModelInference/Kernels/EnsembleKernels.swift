internal import CKernels
public import LockFreeRings
public import TradingTypes

/// The members of an ensemble in arena memory, and the calls into the kernels.
@safe @frozen public struct EnsembleKernels: ~Copyable {
  /// Members there are.
  public let count: Int
  /// The instruction set that is used.
  public let set: KernelSet
  @usableFromInline let required: InlineArray<8, FeatureMask>
  @usableFromInline let scales: InlineArray<8, Double>
  @usableFromInline let isTrees: InlineArray<8, Bool>
  // martlet_trees or martlet_network each, and one martlet_row of scratch.
  @usableFromInline let tables: UnsafePointer<UnsafeRawPointer>
  @usableFromInline let row: UnsafeMutableRawPointer
  // Keeps the memory alive; not touched after `init`.
  @usableFromInline let owner: Arena

  /// Copies the members of a sound model into `arena`, in the forms the kernels read.
  init(_ members: [EnsembleModel.Member], set: KernelSet, in arena: Arena) {
    precondition(members.count >= 1 && members.count <= Combiner.capacity, "EnsembleKernels: from 1 to 8 members")
    precondition(set.isSupported, "EnsembleKernels: this processor has the instruction set \(set)")
    count = members.count
    self.set = set.resolved
    var scales = InlineArray<8, Double>(repeating: 1)
    var isTrees = InlineArray<8, Bool>(repeating: false)
    var required = InlineArray<8, FeatureMask>(repeating: FeatureMask())
    let tables = unsafe arena.room(for: UnsafeRawPointer.self, count: Combiner.capacity)
    for (place, member) in members.enumerated() {
      required[place] = member.required
      switch member.kind {
      case .trees(let model):
        isTrees[place] = true
        scales[place] = model.scale
        // In bounds: there is room for the capacity.
        unsafe (tables + place).initialize(to: TreeTables(model).place(in: arena))
      case .network(let model):
        unsafe (tables + place).initialize(to: NetworkTables(model).place(in: arena))
      }
    }
    self.required = required
    self.scales = scales
    self.isTrees = isTrees
    unsafe self.tables = UnsafePointer(tables)
    let row = unsafe arena.room(for: martlet_row.self)
    unsafe self.row = UnsafeMutableRawPointer(row)
    owner = arena
  }

  static func arenaBytes(for members: [EnsembleModel.Member]) -> Int {
    members.reduce(MemoryLayout<martlet_row>.size + 1024) { sum, member in
      switch member.kind {
      case .trees(let model): sum + TreeTables(model).arenaBytes
      case .network(let model): sum + NetworkTables(model).arenaBytes
      }
    }
  }

  /// The logit of each member that can speak, and those members as bits; nil where a value is not finite in single
  /// precision.
  ///
  /// - Complexity: O(model), no allocation.
  @usableFromInline func logits(
    _ vector: borrowing FeatureVector, into logits: inout InlineArray<8, Double>
  ) -> UInt32? {
    guard load(vector) else { return nil }
    let row = unsafe UnsafePointer(row.assumingMemoryBound(to: martlet_row.self))
    let choice = Int32(set.rawValue)
    var present: UInt32 = 0
    for place in 0..<count where vector.valid.contains(required[place]) {
      // In bounds: `count` tables were written, each of the kind that is kept beside it.
      let table = unsafe tables[place]
      if isTrees[place] {
        let sum = unsafe martlet_trees_sum(choice, table.assumingMemoryBound(to: martlet_trees.self), row)
        logits[place] = sum * scales[place]
      } else {
        let logit = unsafe martlet_network_logit(choice, table.assumingMemoryBound(to: martlet_network.self), row)
        logits[place] = Double(logit)
      }
      present |= 1 << UInt32(place)
    }
    return present
  }

  /// Narrows a vector into the scratch row; false where a value is not finite.
  private func load(_ vector: borrowing FeatureVector) -> Bool {
    let values = vector.values.span
    let row = unsafe row.assumingMemoryBound(to: martlet_row.self)
    let choice = Int32(set.rawValue)
    let low = vector.valid.low
    let high = vector.valid.high
    return unsafe values.withUnsafeBufferPointer { buffer in
      // In bounds: the vector has the 96 values the kernel reads.
      unsafe martlet_row_load(choice, buffer.baseAddress!, low, high, row)
    }
  }

  /// The raw sum of a tree member, before its scale, or nil for a network or a row that is not finite. Off the hot
  /// path.
  func rawSum(of member: Int, _ vector: borrowing FeatureVector) -> Double? {
    guard member >= 0, member < count, isTrees[member], load(vector) else { return nil }
    // In bounds: checked above.
    return unsafe martlet_trees_sum(
      Int32(set.rawValue), tables[member].assumingMemoryBound(to: martlet_trees.self),
      row.assumingMemoryBound(to: martlet_row.self))
  }

  /// The exit leaf of each tree of a member, as the source numbers them; empty for a network or a row that is not
  /// finite.
  func exitLeaves(of member: Int, _ vector: borrowing FeatureVector) -> [UInt32] {
    guard member >= 0, member < count, isTrees[member], load(vector) else { return [] }
    // In bounds: checked above; the kernel writes one number a tree.
    let table = unsafe tables[member].assumingMemoryBound(to: martlet_trees.self)
    var numbers = [UInt32](repeating: 0, count: Int(unsafe table.pointee.tree_count))
    unsafe numbers.withUnsafeMutableBufferPointer { buffer in
      unsafe martlet_trees_leaves(
        Int32(set.rawValue), table, row.assumingMemoryBound(to: martlet_row.self), buffer.baseAddress!)
    }
    return numbers
  }
}
