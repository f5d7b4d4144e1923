extension ForestLayout {
  /// Forms to try, the fastest first; lock-step always fits.
  static func preference(_ lookups: ForestLookups, set: KernelSet) -> [ForestForm] {
    switch set.resolved {
    case .avx512: [.oblivious, .eightTrees, .wholeTree, .bitvectors32, .doubling, .blocks, .lockStep]
    case .avx2: [.oblivious, .eightTrees, .bitvectors32, .lockStep]
    case .scalar, .best: [.lockStep]
    }
  }
}
