// Goal: what a fuzzer once found stays found. Method: every kept input through its target, and a seeded storm of small inputs through all of them: nothing
// traps and nothing hangs. The fuzzers themselves run by Tests/fuzz/run.

import Foundation
import FuzzTargets
import TestSupport
import Testing
import TradingTypes

@Suite struct CorpusTests {
  static let places = ["corpus", "seeds"].map {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../fuzz/\($0)").standardized
  }

  @Test func `every kept input and every seed is taken by its target`() throws {
    var count = 0
    for target in FuzzTarget.allCases where target != .planted {
      for folder in Self.places.map({ $0.appendingPathComponent(target.rawValue) }) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] {
          target.run([UInt8](try Data(contentsOf: folder.appendingPathComponent(name))))
          count += 1
        }
      }
    }
    #expect(count > FuzzTarget.allCases.count - 1, "the corpus is not beside the tests")
  }

  @Test(arguments: FuzzTarget.allCases.filter { $0 != .planted })
  func `small random inputs end`(target: FuzzTarget) {
    var random = SplitMix64(seed: 77)
    let alphabet = Array("{}[]\",:0123456789.-eutrlsabcd\n".utf8)
    for number in 0..<300 {
      let length = Int(random.next() % 48)
      target.run(
        (0..<length).map { _ in
          let draw = random.next()
          // Half of the inputs are of characters that text feeds are made of.
          return number % 2 == 0 ? UInt8(truncatingIfNeeded: draw) : alphabet[Int(draw >> 8) % alphabet.count]
        })
    }
  }

  @Test func `the planted fault is one`() async {
    await #expect(processExitsWith: .failure) { FuzzTarget.planted.run(Array("MART".utf8)) }
  }
}
