// Goal: each rule catches what it is for, and only that. Method: planted files, one fault each, beside a faultless twin.
import Testing

private func file(_ path: String, _ text: String) -> [SourceFile] { [SourceFile(path: path, text: text)] }

private let stage = "Sources/Stages/6-PreTradeRisk/RiskGate.swift"

@Suite struct `Planted faults` {
  @Test(arguments: [
    "import RegimeDetection", "public import RegimeDetection", "@testable import RegimeDetection",
    "import struct RegimeDetection.Filter", "  internal import RegimeDetection // why",
    "import TradingTypes; import RegimeDetection",
    "@preconcurrency @_exported public import RegimeDetection", "let a = \"\"\"\n\"\n\"\"\"\nimport RegimeDetection",
  ])
  func `a stage that imports a stage is caught`(planted: String) {
    let found = Rules.imports(file(stage, planted))
    #expect(found.map(\.rule) == ["the stage PreTradeRisk imports the stage RegimeDetection"])
  }

  @Test(arguments: [
    "public import TradingTypes\ninternal import PortfolioLedger\nimport OrderBooks\nimport LockFreeRings\nimport CKernels\nimport Glibc",
    "// import RegimeDetection", "/* /* */ import RegimeDetection */",
    "let text = \"\nimport RegimeDetection\"".replacing("\n", with: " "),
    "let text = \"\"\"\n  import RegimeDetection\n  \"\"\"", "let text = #\"\\\" import RegimeDetection\"#",
    "import PreTradeRisk",
  ])
  func `what a stage may import passes`(planted: String) {
    #expect(Rules.imports(file(stage, planted)) == [])
  }

  @Test(arguments: [
    ("Sources/TradingTypes/A.swift", "LockFreeRings"), ("Sources/LockFreeRings/A.swift", "TradingTypes"),
    ("Sources/OrderBooks/A.swift", "PortfolioLedger"), ("Sources/OrderBooks/A.swift", "MarketIngest"),
    ("Sources/OrderBooks/A.swift", "CPlatform"), (stage, "EngineTelemetry"), (stage, "TradingEngine"),
    (stage, "Foundation"),
    (stage, "Synchronization"), (stage, "CAllocationCounter"), ("Sources/EventJournal/A.swift", "OrderBooks"),
    ("Sources/EngineTelemetry/A.swift", "EventJournal"), ("Sources/SimulatedVenue/A.swift", "PreTradeRisk"),
    ("Sources/TradingEngine/A.swift", "SimulatedVenue"), ("Sources/TradingEngine/A.swift", "CPlatform"),
    ("Sources/BacktestHarness/A.swift", "OrderRouting"), ("Sources/martlet/A.swift", "CAllocationCounter"),
    ("Sources/martlet/A.swift", "TestSupport"), ("Sources/TradingEngine/A.swift", "bench"),
    ("Fixtures/FixtureStreams/A.swift", "OrderBooks"), ("Sources/TradingEngine/A.swift", "ArgumentParser"),
    ("Sources/TradingEngine/A.swift", "UnheardOf"), ("Sources/Shims/CUring/A.swift", "CNuma"),
    ("Sources/MarketReceive/A.swift", "MarketIngest"), ("Sources/MarketReceive/A.swift", "EventJournal"),
  ])
  func `an import that points up or aside is caught`(path: String, module: String) {
    #expect(Rules.imports(file(path, "import \(module)")).count == 1)
  }

  @Test(arguments: [
    ("Sources/LockFreeRings/A.swift", "CNuma"), ("Sources/SimulatedVenue/A.swift", "OrderBooks"),
    ("Sources/EventJournal/A.swift", "CUring"), ("Sources/EngineTelemetry/A.swift", "CPlatform"),
    ("Sources/MarketReceive/A.swift", "CNet"), ("Sources/MarketReceive/A.swift", "CUring"),
    ("Sources/TradingEngine/A.swift", "EventJournal"), ("Sources/TradingEngine/A.swift", "PreTradeRisk"),
    ("Sources/BacktestHarness/A.swift", "SimulatedVenue"), ("Sources/BacktestHarness/A.swift", "TradingEngine"),
    ("Sources/ModelImport/A.swift", "ModelInference"), ("Sources/martlet/A.swift", "ArgumentParser"),
    ("Benchmarks/bench/A.swift", "CAllocationCounter"), ("Tests/proof/A.swift", "TestSupport"),
    ("Tests/PreTradeRiskTests/A.swift", "Testing"), ("Tests/SimulationTests/A.swift", "BacktestHarness"),
  ])
  func `an import that points down passes`(path: String, module: String) {
    #expect(Rules.imports(file(path, "import \(module)")) == [])
  }

  @Test func `a second shim or stage is caught across files`() {
    let shims = file(stage, "import CKernels") + file("Sources/Stages/6-PreTradeRisk/B.swift", "import CPlatform")
    #expect(Rules.imports(shims).map(\.rule) == ["PreTradeRisk imports more than 1 shim"])
    let stages = file("Sources/ModelImport/A.swift", "import ModelInference\nimport RegimeDetection")
    #expect(Rules.imports(stages).map(\.rule) == ["ModelImport imports more than 1 stage"])
    #expect(Rules.imports(file("Sources/NewModule/A.swift", "")).count == 1)
  }

  @Test(arguments: [
    "let x = unsafe y", "var p: UnsafePointer<Int>", "withUnsafeBytes(of: x) {}", "nonisolated(unsafe) var a = 1",
    "let text = \"\\(unsafe pointer)\"", "@unsafe func f() {}", "let o: OpaquePointer", "unsafeBitCast(a, to: B.self)",
  ])
  func `a pointer outside its places is caught`(planted: String) {
    #expect(Rules.unsafePlaces(file("Sources/OrderBooks/Book.swift", planted)).count == 1)
    #expect(Rules.unsafePlaces(file("Sources/Stages/1-MarketIngest/Decoder.swift", planted)).count == 1)
    #expect(Rules.unsafePlaces(file("Sources/Stages/1-MarketIngest/Bytes/ByteView.swift", planted)) == [])
    #expect(Rules.unsafePlaces(file("Sources/LockFreeRings/Ring.swift", planted)) == [])
    #expect(Rules.unsafePlaces(file("Tests/LockFreeRingsTests/RingTests.swift", planted)) == [])
  }

  @Test func `words about pointers are no pointers`() {
    let text = "// unsafe\nlet text = \"unsafe UnsafePointer\"\nlet isSafe = true\n/// `unsafe`\nfunc isunsafe() {}"
    #expect(Rules.unsafePlaces(file("Sources/OrderBooks/Book.swift", text)) == [])
  }

  @Test func `a long file is caught`() {
    #expect(Rules.length(file("Sources/A/B.swift", String(repeating: "\n", count: 501))).count == 1)
    #expect(Rules.length(file("Sources/A/B.swift", String(repeating: "\n", count: 500))) == [])
    #expect(Rules.length(file("Docs/B.md", String(repeating: "\n", count: 501))) == [])
  }

  @Test(arguments: ["tmp", "work", "root", "home", "Users"])
  func `a machine's path is caught`(folder: String) {
    let planted = "/" + folder + "/"
    for text in ["open(\"\(planted)a\")", "\(planted)a", "see \(planted)1"] {
      #expect(Rules.absolutePaths(file("Docs/A.md", "fine\n" + text)).map(\.line) == [2], "\(text)")
    }
    for text in ["a\(planted)a", "..\(planted)a", planted, "\(planted)<name>"] {
      #expect(Rules.absolutePaths(file("Docs/A.md", text)) == [], "\(text)")
    }
  }

  @Test func `the host of a registry and an open end are caught`() {
    #expect(Rules.forbiddenWords(file("Docs/A.md", "https://py" + "pi.org/simple")).count == 1)
    #expect(Rules.forbiddenWords(file("Docs/A.md", "PyPI")) == [])
    #expect(Rules.openEnds(file("Sources/A/B.swift", "// TO" + "DO later")).count == 1)
    #expect(Rules.openEnds(file("Sources/A/B.swift", "// METHODOLOGY")) == [])
  }

  @Test(arguments: [
    "public struct A {}", "@frozen public struct A {}", "  @inlinable public mutating func f() {}",
    "public static var x: Int { 1 }",
    "/// Doc.\nstruct B {}\npublic init() {}", "/// Doc.\n\npublic let a = 1",
    "@inlinable\npublic subscript(i: Int) -> Int { 1 }",
    "public protocol P {}", "public private(set) var x = 1", "@inline(__always) public func f() {}", "open class C {}",
    "let text = \"///\"\npublic typealias T = Int",
  ])
  func `a public declaration without a docstring is caught`(planted: String) {
    #expect(Rules.docstrings(file("Sources/OrderBooks/Book.swift", planted)).count == 1)
  }

  @Test(arguments: [
    "/// Doc.\npublic struct A {}", "/// Doc.\n@inlinable\npublic func f() {}", "public import TradingTypes",
    "public extension A {}",
    "/// Doc.\n@available(*, deprecated)\n@inlinable public var x: Int { 1 }", "struct A {}", "// public struct A {}",
    "func f(public: Int) { let x = 1 }",
  ])
  func `documented and internal declarations pass`(planted: String) {
    #expect(Rules.docstrings(file("Sources/OrderBooks/Book.swift", planted)) == [])
  }

  @Test func `a type that hides its module and package access are caught`() {
    #expect(Rules.names(file("Sources/OrderBooks/A.swift", "public struct OrderBooks {}")).count == 1)
    #expect(Rules.names(file("Sources/OrderBooks/A.swift", "package func f() {}")).count == 1)
    #expect(Rules.names(file("Sources/OrderBooks/A.swift", "struct OrderBook { let package = 1 }")) == [])
  }

  @Test func `a pattern fits whole paths`() {
    let path = SourceFile(path: "Sources/Stages/1-MarketIngest/Bytes/View.swift", text: "")
    #expect(path.matches("Sources/*") && path.matches("*View.swift") && path.matches("*Byte*"))
    #expect(
      !path.matches("Sources") && !path.matches("*Byte") && !path.matches("Tests/*")
        && !path.matches("*View*View.swift"))
    #expect(path.module == "MarketIngest" && path.kind == "swift")
  }
}
