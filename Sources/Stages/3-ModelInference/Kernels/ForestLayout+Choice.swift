extension ForestLayout {
  /// Forms to try, the fastest first; lock-step always fits.
  ///
  /// p50 in ns of single calls, search of the bins included, 17 ns of timer left in; 4,096 rows in mixed order, Xeon
  /// (Emerald Rapids class, 3 GHz), `ForestTimingTests`:
  ///
  /// ```
  ///  trees, features     lock-step  oblivious  eight  whole  blocks  doubling  bits 32  bits 64
  ///  AVX-512
  ///  100 × 31, 64          722          -        -      -     506      256      296      399
  ///  500 × 31, 64        3,358          -        -      -   1,956      893    1,038    1,332
  ///  200 × 50, 88        1,679          -        -      -   1,031      724        -      918
  ///  100 × depth 6, 88     641          -        -    335     468      399        -      720
  ///  200 × depth 8, 88   1,532          -        -      -     819        -        -        -
  ///  100 oblivious 6, 88   568        208        -    294     421      343        -      669
  ///  50 × depth 3, 6       179          -      123    145     133      117      119      127
  ///  AVX2
  ///  100 × 31, 64          827          -        -      -       -        -      709        -
  ///  500 × 31, 64        3,489          -        -      -       -        -    2,347        -
  ///  100 oblivious 6, 88   613        283        -      -       -        -        -        -
  ///  50 × depth 3, 6       194          -      120      -       -        -      150        -
  /// ```
  ///
  /// Bitvectors read 384 bytes for 64 nodes and are bound by the second-level cache where doubling (256) is less so:
  /// on AVX-512 they are never the first choice.
  static func preference(set: KernelSet) -> [ForestForm] {
    switch set.resolved {
    case .avx512: [.oblivious, .eightTrees, .wholeTree, .doubling, .twoBlocks, .blocks, .lockStep]
    case .avx2: [.oblivious, .eightTrees, .bitvectors32, .lockStep]
    case .scalar, .best: [.lockStep]
    }
  }
}
