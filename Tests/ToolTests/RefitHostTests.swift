import Foundation
import Testing
import TradingEngine

@testable import refithost

// Goal: the example does what it says, and a replay decides as the live run did. Method: a short market with quick fits, live and then again from
// the journal; another market with that journal.
@Suite struct RefitHostTests {
  /// Fits that take moments in place of a likelihood: debug builds take seconds for the real ones.
  static let fits = Refitter.Fits(
    regime: { window, _ in
      let variance = window.reduce(0) { $0 + $1 * $1 } / Double(window.count)
      let fitted = try? RegimeParameters(
        start: [0.5, 0.5], transition: [[0.95, 0.05], [0.05, 0.95]], means: [0, 0],
        variances: [variance / 2, variance * 3])
      return fitted.map { .replace($0) } ?? .keep(reason: "a variance of \(variance)")
    },
    volatility: { window, _ in
      let variance = window.reduce(0) { $0 + $1 * $1 } / Double(window.count)
      let fitted = try? VolatilityParameters(omega: 0.05 * variance, alpha: 0.1, beta: 0.85, backcast: variance)
      return fitted.map { .replace($0) } ?? .keep(reason: "a variance of \(variance)")
    })

  @Test func `a live run with refits is repeated from its journal`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var host = try RefitHost(journal: folder, seed: 3)
    host.bars = 500
    host.schedule.windowMin = 50
    host.schedule.interval = 60
    host.fits = Self.fits
    let live = try host.live()
    #expect(live.orders > 0 && live.refits.count >= 2 && live.refits.count % Market.symbols.count == 0)
    #expect(live.refits[0].contains("refit 1 ACME: regimes of ") && live.refits[1].contains("refit 1 BOLT: "))
    #expect(live.description.hasSuffix("decision_checksum \(live.checksum)"))
    let replayed = try host.replay()
    #expect(replayed == live)
    let empty = folder + "/none"
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
    var plain = try RefitHost(journal: empty, seed: 3)
    plain.bars = 500
    let unchanged = try plain.replay()
    #expect(unchanged.refits.isEmpty && unchanged.checksum != live.checksum)
  }
}
