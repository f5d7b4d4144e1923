/// How the trees of a forest lie in memory for its kernel. Every form gives the same bits; only the time differs.
@frozen public enum ForestForm: UInt32, BitwiseCopyable, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// Eight trees walk together, a node at a time, without a branch. Fits every forest and runs everywhere.
  case lockStep = 0
  /// All nodes of a level ask the same: 64 trees a comparison.
  case oblivious = 1
  /// Trees of at most three levels, eight in a comparison.
  case eightTrees = 2
  /// Trees of at most six levels, one in a comparison.
  case wholeTree = 3
  /// Trees cut into blocks of four levels, a cache line each; four blocks a comparison.
  case blocks = 4
  /// Trees of at most 65 leaves: pointer doubling, one, two or four in a register.
  case doubling = 5
  /// Trees of at most 32 leaves: a bit for each leaf, cleared by the nodes that go right.
  case bitvectors32 = 6
  /// The same, of at most 64 leaves.
  case bitvectors64 = 7
  /// Trees of at most eight levels: two blocks of four levels, four trees a comparison.
  case twoBlocks = 8

  /// A name for reports.
  public var description: String {
    switch self {
    case .lockStep: "lock-step"
    case .oblivious: "oblivious"
    case .eightTrees: "eight trees"
    case .wholeTree: "whole tree"
    case .blocks: "blocks"
    case .doubling: "doubling"
    case .bitvectors32: "bitvectors 32"
    case .bitvectors64: "bitvectors 64"
    case .twoBlocks: "two blocks"
    }
  }
}
