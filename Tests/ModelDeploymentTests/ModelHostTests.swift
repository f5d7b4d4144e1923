import FixtureStreams
import Foundation
import LockFreeRings
import ModelDeployment
import ModelGovernance
import Testing
import TradingEngine
import TradingTypes

@testable import modelhost

// Goal: the example does what it says, and a replay decides as the live run did. Method: a generated day, live with a challenger, a shadow and
// a promotion from outside at whatever moment it comes, then again from the journal; records that no run left are refused.
@Suite struct ModelHostTests {
  /// The example with a small engine: debug builds fill every table one by one.
  static func host(_ fixture: RegistryFixture, feed: String, journal: String) -> ModelHost {
    var host = ModelHost(registry: fixture.folder, model: RegistryFixture.name, feed: feed, journal: journal)
    host.configuration.capacity.restingOrders = 8_192
    host.configuration.capacity.windowTicks = 256
    host.configuration.capacity.openOrders = 256
    return host
  }

  @Test func `a live run whose models changed is repeated from its journal`() throws {
    let fixture = try RegistryFixture()
    let paths = [fixture.path("day"), fixture.path("journal")]
    defer { for path in paths { try? FileManager.default.removeItem(atPath: path) } }
    let day = ItchFixture(ItchFixture.Parameters(seed: 7, messages: 2_000, symbols: 3)).generate()
    try Data(day).write(to: URL(fileURLWithPath: paths[0]))
    let host = Self.host(fixture, feed: paths[0], journal: paths[1])

    let promotion = PinnedThread(ThreadConfiguration(name: "promote")) {
      // Once the challenger is named; then its turn comes, because the keeper has the registry open for a moment only.
      for _ in 0..<3_000 {
        let hasBegun = FileManager.default.fileExists(atPath: paths[1])
        if hasBegun, (try? fixture.promote(2)) != nil { return }
        Thread.sleep(forTimeInterval: 0.01)
      }
    }
    let live = try host.live(challenger: 2, shadow: 3, messagesPerSecond: 5_000)
    promotion.join()
    let swaps = try ModelSwap.recorded(inJournal: paths[1])
    #expect(swaps.first?.isBeginning == true && swaps.count == live.changes + 1 && live.changes >= 1)
    #expect(swaps.dropFirst().first?.place == .challenger && swaps.dropFirst().first?.sequence == swaps.first?.sequence)
    // One event each way, two where one challenger follows another, none for a shadow.
    let expected = swaps.dropFirst().reduce(0) { count, swap in
      switch swap.place {
      case .champion: count + 1
      case .challenger: count + (swap.model == 0 ? 0 : 1) + (swap.former == 0 ? 0 : 1)
      case .shadow: count
      }
    }
    let changes = try fixture.told().filter { $0.kind != .shadowDisagreement }
    #expect(changes.count == expected)
    let replayed = try host.replay()
    #expect(replayed == live && live.orders > 0)

    // Without the changes it is another day.
    let plain = fixture.path("plain")
    defer { try? FileManager.default.removeItem(atPath: plain) }
    let alone = try RegistryFixture(versions: 1)
    let other = Self.host(alone, feed: paths[0], journal: plain)
    let unchanged = try other.live(challenger: nil, shadow: nil, messagesPerSecond: 1_000_000)
    #expect(unchanged.changes == 0 && unchanged.checksum != live.checksum)
  }

  @Test func `a record that no run left is refused by one line`() throws {
    let fixture = try RegistryFixture()
    let registry = try fixture.registry()
    let first = try registry.state.version(1, of: RegistryFixture.name)
    let id = try #require(ModelNotice.model(sha256: first.artifact.sha256))
    func swap(_ sequence: UInt64, _ model: UInt64, former: UInt64) -> ModelSwap {
      ModelSwap(sequence: sequence, time: .distantPast, place: .champion, model: model, former: former)
    }
    func refusal(_ swaps: [ModelSwap]) -> String? {
      do {
        _ = try ModelDesk.repeating(
          swaps, of: RegistryFixture.name, in: registry, instrumentCount: 1, windowMax: 2,
          arena: Arena(capacityBytes: 1 << 20))
        return nil
      } catch { return "\(error)" }
    }
    let beginning = swap(1, id, former: 0)
    #expect(refusal([beginning, swap(5, id, former: id), swap(5, id, former: id)]) == nil)
    #expect(refusal([]) == "alpha: a record of changes that begins with a champion expected")
    #expect(refusal([swap(4, id, former: id)]) == "alpha: a record of changes that begins with a champion expected")
    let line = "the record of one run expected, with events that do not fall"
    #expect(
      refusal([beginning, swap(9, id, former: id), swap(8, id, former: id)]) == "alpha: change 2 at event 8: \(line)")
    #expect(refusal([beginning, beginning]) == "alpha: change 1 at event 1: \(line)")
    #expect(
      refusal([beginning, swap(2, 0xAB, former: id)])
        == "\(fixture.folder): alpha: a version whose SHA-256 begins with 00000000000000ab expected, none found")
  }
}
