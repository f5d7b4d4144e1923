import LockFreeRings
import ModelImport
import ModelInference
import Testing

// Goal: what an importer reads, the kernels answer with the same bits. Method: every parity fixture through each form it
// fits in each instruction set, its rows compared with the plain walk that ParityTests compares with the libraries.
struct KernelParityTests {
  static let files =
    ParityTests.lightgbm.map { "\($0).txt" } + ParityTests.xgboost.map { "\($0.kind).\($0.spellings.last!)" }
    + ParityTests.catboost.map { "\($0).json" }

  @Test(arguments: KernelSet.supported)
  func `every form and every instruction set gives the bits of the reference`(set: KernelSet) throws {
    var forms: Set<ForestForm> = []
    for file in Self.files {
      let forest = try #require(try ModelImporter.read(path: Parity.path(file)).forest)
      let kind = String(file.prefix { $0 != "." }) == "xgboost-1" ? "xgboost-1.7" : String(file.prefix { $0 != "." })
      // The plain walks once for all forms: unoptimised they take longer than everything else.
      let cases = try Parity(kind).cases.map {
        (row: $0.row, scores: forest.rawReference($0.row).map(\.bitPattern), leaves: forest.leafNumbers($0.row))
      }
      for form in ForestForm.allCases {
        let arena = Arena(
          capacityBytes: ForestKernel.arenaBytes(for: forest, set: set, form: form)
            + KernelRow.arenaBytes(featureCount: forest.featureCount))
        guard let kernel = ForestKernel(forest, set: set, form: form, in: arena) else { continue }
        forms.insert(form)
        var row = KernelRow(featureCount: forest.featureCount, in: arena)
        var scores = [Double](repeating: 0, count: forest.outputCount)
        for (number, each) in cases.enumerated() {
          row.load(each.row)
          var span = scores.mutableSpan
          kernel.raw(row, into: &span)
          let leaves = kernel.exitLeaves(row)
          #expect(scores.map(\.bitPattern) == each.scores, "\(file), \(form), row \(number)")
          #expect(leaves == each.leaves, "\(file), \(form), row \(number)")
        }
      }
    }
    #expect(forms.contains(.lockStep))
    if set == .best { #expect(forms.count >= 4, "\(forms)") }
  }
}
