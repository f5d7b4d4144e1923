// Goal: the house is as drawn. Method: every rule over every file of the package.
import Testing

@Suite struct `Rules of the house` {
  private let files = Repository.files

  @Test func `the package is seen`() {
    // A scanner that finds no files would approve of everything.
    for path in ["Package.swift", "Sources/TradingTypes/Units.swift", "Sources/LockFreeRings/Arena.swift"] {
      #expect(files.contains { $0.path == path }, "\(path)")
    }
    let modules = Set(files.filter(\.isSwift).compactMap(\.module))
    #expect(modules.isSuperset(of: ["TradingTypes", "PreTradeRisk", "bench", "TestSupport"]))
  }

  @Test func `imports point down, and no stage imports a stage`() { expectNone(Rules.imports(files)) }
  @Test func `pointers stay in their places`() { expectNone(Rules.unsafePlaces(files)) }
  @Test func `no file exceeds 500 lines`() { expectNone(Rules.length(files)) }
  @Test func `no file names a folder of one machine`() { expectNone(Rules.absolutePaths(files)) }
  @Test func `no file names the host of another registry`() { expectNone(Rules.forbiddenWords(files)) }
  @Test func `nothing is left open in the sources`() { expectNone(Rules.openEnds(files)) }
  @Test func `every public declaration has a docstring`() { expectNone(Rules.docstrings(files)) }
  @Test func `no type hides its module, and nothing is package`() { expectNone(Rules.names(files)) }

  private func expectNone(_ violations: [Violation]) {
    #expect(violations.isEmpty, "\(violations.map(\.description).joined(separator: "\n"))")
  }
}
