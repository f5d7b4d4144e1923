import CAllocationCounter
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: every form in every instruction set gives the bits of the reference. Method: seeded forests of every shape,
// rows at thresholds, one step beside them, and with every odd value; raw bits and leaf numbers are compared.
struct ForestKernelTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var shape: ForestShape
    var trees: Int
    var columns = ForestModels.Columns()
    var outputs = 1
    var isSingle = false
    // Forms it must fit where a set has them all.
    var fits: Set<ForestForm>
    var testDescription: String { "\(shape) × \(trees), \(columns.columns) columns, \(outputs) outputs" }
  }

  static let wide = ForestModels.Columns(features: 90, columns: 100)
  static let several = ForestModels.Columns(features: 9, columns: 40)
  static let beyond = ForestModels.Columns(features: 150, columns: 200)
  static let plain = ForestModels.Columns(features: 64, columns: 64, missing: [.never], lengths: [3, 40, 255])
  static let categories = ForestModels.Columns(features: 12, columns: 16, categoriesOneIn: 3)
  static let manyCategories = ForestModels.Columns(features: 100, columns: 110, categoriesOneIn: 2)
  static let small: Set<ForestForm> = [.lockStep, .blocks, .doubling, .bitvectors32, .bitvectors64]

  static let cases: [Case] = [
    Case(shape: .leafWise(1), trees: 3, fits: Set(ForestForm.allCases)),
    Case(shape: .mixed(leaves: 2, levels: 1), trees: 65, fits: small.union([.eightTrees, .wholeTree])),
    Case(shape: .perfect(3), trees: 50, fits: small.union([.eightTrees, .wholeTree])),
    Case(shape: .mixed(leaves: 8, levels: 3), trees: 77, columns: wide, fits: small.union([.eightTrees, .wholeTree])),
    Case(shape: .mixed(leaves: 17, levels: 8), trees: 70, columns: several, fits: small.union([.twoBlocks])),
    Case(
      shape: .mixed(leaves: 16, levels: 4), trees: 17, columns: wide, isSingle: true, fits: small.union([.wholeTree])),
    Case(shape: .perfect(5), trees: 40, columns: plain, fits: small.union([.wholeTree])),
    Case(shape: .perfect(6), trees: 35, columns: wide, isSingle: true, fits: [.wholeTree, .bitvectors64, .doubling]),
    Case(shape: .mixed(leaves: 64, levels: 6), trees: 12, outputs: 3, fits: [.wholeTree, .bitvectors64, .blocks]),
    Case(shape: .leafWise(31), trees: 66, columns: plain, fits: small),
    Case(shape: .leafWise(32), trees: 16, columns: wide, fits: small),
    Case(shape: .mixed(leaves: 32, levels: 31), trees: 15, outputs: 5, isSingle: true, fits: small),
    Case(shape: .leafWise(50), trees: 34, columns: wide, fits: [.doubling, .bitvectors64, .blocks]),
    Case(shape: .leafWise(65), trees: 9, columns: several, fits: [.doubling, .blocks]),
    Case(shape: .perfect(8), trees: 6, columns: wide, isSingle: true, fits: [.twoBlocks, .blocks, .lockStep]),
    Case(shape: .mixed(leaves: 300, levels: 12), trees: 9, columns: several, fits: [.blocks, .lockStep]),
    Case(shape: .chain(31), trees: 34, fits: small),
    Case(shape: .chain(100), trees: 7, fits: [.lockStep]),
    Case(shape: .oblivious(1), trees: 5, fits: small.union([.oblivious, .eightTrees])),
    Case(shape: .oblivious(6), trees: 66, columns: wide, fits: [.oblivious, .wholeTree]),
    Case(shape: .oblivious(8), trees: 17, columns: several, fits: [.oblivious, .blocks]),
    Case(shape: .oblivious(10), trees: 2, columns: plain, outputs: 2, fits: [.oblivious, .blocks]),
    Case(shape: .leafWise(31), trees: 30, columns: categories, fits: small),
    Case(shape: .mixed(leaves: 90, levels: 9), trees: 20, columns: manyCategories, outputs: 2, fits: [.lockStep]),
    Case(shape: .leafWise(31), trees: 64, columns: beyond, fits: [.lockStep]),
  ]

  // Unoptimised, every third of them: between them they fit each form.
  static let examples = countsAllocations ? cases : stride(from: 0, to: cases.count, by: 3).map { cases[$0] }

  @Test(arguments: examples, Seeds.brief.prefix(1))
  func `every form in every set equals the reference`(example: Case, seed: UInt64) {
    var models = ForestModels(seed: seed)
    let forest = models.forest(
      example.shape, trees: example.trees, columns: example.columns, outputs: example.outputs,
      accumulation: example.isSingle ? .single : .double)
    #expect(forest.fault == nil)
    let rows = (0..<4).map { models.row(for: forest, missingOneIn: [0, 30, 3, 1][$0 % 4]) }
    let raws = rows.map { forest.rawReference($0).map(\.bitPattern) }
    let leaves = rows.map { forest.leafNumbersReference($0) }
    for set in KernelSet.supported {
      for form in ForestForm.allCases {
        // Only what is taken costs memory; laying out twice, to know the size first, costs time.
        let arena = Arena(capacityBytes: 64 << 20)
        guard let kernel = ForestKernel(forest, set: set, form: form, in: arena) else {
          #expect(set != .avx512 || !example.fits.contains(form), "seed \(seed), \(set), \(form) fits")
          continue
        }
        compare(kernel, rows, raws, leaves, "seed \(seed), \(set), \(form)")
      }
    }
  }

  private func compare(
    _ kernel: borrowing ForestKernel, _ rows: [[Float]], _ raws: [[UInt64]], _ leaves: [[UInt32]], _ name: String
  ) {
    // A row may have more features than the forest asks for.
    let count = kernel.featureCount + 5
    var row = KernelRow(featureCount: count, in: Arena(capacityBytes: KernelRow.arenaBytes(featureCount: count)))
    var scores = [Double](repeating: 0, count: kernel.outputCount)
    for (number, values) in rows.enumerated() {
      row.load(values + [Float](repeating: .nan, count: 5))
      var span = scores.mutableSpan
      kernel.raw(row, into: &span)
      let bits = scores.map(\.bitPattern)
      #expect(bits == raws[number], "\(name), row \(number)")
      let first = kernel.raw(row)
      #expect(first.bitPattern == raws[number][0], "\(name), row \(number)")
      let exits = kernel.exitLeaves(row)
      #expect(exits == leaves[number], "\(name), row \(number)")
    }
  }

  // All thresholds of one tree, each exactly and one step to either side.
  @Test(arguments: KernelSet.supported)
  func `every threshold decides rightly, and its neighbours`(set: KernelSet) {
    var models = ForestModels(seed: 5)
    let forest = models.forest(.leafWise(31), trees: 60, columns: Self.wide)
    let arena = Arena(capacityBytes: ForestKernel.arenaBytes(for: forest))
    let kernel = ForestKernel(forest, set: set, in: arena)
    var row = KernelRow(featureCount: 90, in: Arena(capacityBytes: KernelRow.arenaBytes(featureCount: 90)))
    var values = models.row(for: forest, missingOneIn: 0)
    for column in forest.columns.prefix(30) {
      guard case .thresholds(let list, _) = column.sight else { continue }
      let kept = values[column.feature]
      for threshold in list.prefix(6) {
        for value in [threshold, threshold.nextUp, threshold.nextDown] {
          values[column.feature] = value
          row.load(values)
          let exits = kernel.exitLeaves(row)
          #expect(exits == forest.leafNumbersReference(values), "\(value)")
        }
      }
      values[column.feature] = kept
    }
  }

  @Test func `a forest takes the form that was measured fastest for its shape`() {
    var models = ForestModels(seed: 2)
    let few = ForestModels.Columns()
    let examples: [(ForestShape, ForestModels.Columns, avx512: ForestForm, avx2: ForestForm)] = [
      (.oblivious(6), few, .oblivious, .oblivious), (.perfect(3), few, .eightTrees, .eightTrees),
      (.perfect(6), few, .wholeTree, .lockStep), (.leafWise(31), few, .doubling, .bitvectors32),
      (.chain(31), few, .doubling, .bitvectors32), (.leafWise(50), few, .doubling, .lockStep),
      (.perfect(8), few, .twoBlocks, .lockStep), (.chain(100), few, .lockStep, .lockStep),
      (.leafWise(31), Self.beyond, .lockStep, .lockStep),
    ]
    for (shape, columns, avx512, avx2) in examples {
      let forest = models.forest(shape, trees: 12, columns: columns)
      for set in KernelSet.supported {
        let arena = Arena(capacityBytes: 64 << 20)
        let kernel = ForestKernel(forest, set: set, in: arena)
        let form = kernel.form
        #expect(arena.usedBytes <= ForestKernel.arenaBytes(for: forest, set: set), "\(shape), \(set)")
        #expect(form == (set == .avx512 ? avx512 : set == .avx2 ? avx2 : .lockStep), "\(shape), \(set)")
      }
    }
  }

  // The comparison above must be able to fail: a table with one wrong bit is seen in every form and set.
  @Test func `one wrong bit in a table is noticed`() {
    var models = ForestModels(seed: 9)
    let columns = ForestModels.Columns(features: 20, columns: 20, missing: [.nan], lengths: [3])
    let shapes: [ForestShape] = [.perfect(3), .leafWise(31), .leafWise(40), .oblivious(4)]
    for shape in shapes {
      let forest = models.forest(shape, trees: 66, columns: columns)
      let rows = (0..<30).map { _ in models.row(for: forest, missingOneIn: 9) }
      let right = rows.map { forest.leafNumbersReference($0) }
      for tree in [0, 65] {
        var wrong = forest
        // Thresholds 0 and 1 of three: bit 0 of the bin.
        wrong.trees[tree].nodes[0].test = forest.trees[tree].nodes[0].test == 0 ? 1 : 0
        for set in KernelSet.supported {
          for form in ForestForm.allCases {
            guard let kernel = ForestKernel(wrong, set: set, form: form, in: Arena(capacityBytes: 64 << 20)) else {
              continue
            }
            var row = KernelRow(featureCount: 20, in: Arena(capacityBytes: KernelRow.arenaBytes(featureCount: 20)))
            var differing = 0
            for (values, expected) in zip(rows, right) {
              row.load(values)
              let exits = kernel.exitLeaves(row)
              differing += exits == expected ? 0 : 1
            }
            #expect(differing > 0 && differing < rows.count, "\(shape), tree \(tree), \(set), \(form)")
          }
        }
      }
    }
  }

  @Test(.enabled(if: countsAllocations))
  func `a raw score allocates and retains nothing in any form`() {
    var models = ForestModels(seed: 3)
    var total = 0.0
    for example in Self.cases {
      let forest = models.forest(
        example.shape, trees: example.trees, columns: example.columns, outputs: example.outputs,
        accumulation: example.isSingle ? .single : .double)
      let count = forest.featureCount
      var row = KernelRow(featureCount: count, in: Arena(capacityBytes: KernelRow.arenaBytes(featureCount: count)))
      row.load(models.row(for: forest, missingOneIn: 4))
      for set in KernelSet.supported {
        for form in ForestForm.allCases {
          let arena = Arena(capacityBytes: ForestKernel.arenaBytes(for: forest, set: set, form: form))
          guard let kernel = ForestKernel(forest, set: set, form: form, in: arena) else { continue }
          var scores = [Double](repeating: 0, count: kernel.outputCount)
          total += kernel.raw(row)
          martlet_count_begin()
          for _ in 0..<20 {
            total += kernel.raw(row)
            var span = scores.mutableSpan
            kernel.raw(row, into: &span)
          }
          let counts = martlet_count_end()
          #expect(counts.allocations == 0 && counts.retains == 0, "\(set), \(form)")
        }
      }
    }
    #expect(total.isFinite)
  }
}
