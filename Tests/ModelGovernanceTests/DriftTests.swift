import CAllocationCounter
import Foundation
import ModelGovernance
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the stability index is the golden one. Method: every figure of the reference file, from the real returns.
struct DriftGoldenTests {
  private func check(_ name: String, _ golden: [String: Any], reference: [Double], live: [Double]) throws {
    let distribution = try DriftReference(reference)
    let report = try DriftReport.compare(reference: reference, live: live)
    #expect(agree(distribution.edges, golden.numbers("edges"), within: 1e-14), "\(name)")
    #expect(report.referenceCount == Int(golden.number("n_ref")) && report.liveCount == Int(golden.number("n_live")))
    #expect(abs(report.psi - golden.number("psi")) <= 1e-10, "\(name): \(report.psi)")
    #expect(abs(report.psiNullMean - golden.number("null_mean")) <= 1e-12, "\(name)")
    if let alert = golden["alert_0_25"] as? Bool { #expect((report.psi > 0.25) == alert, "\(name)") }
    // Shares as the file has them, bins 0 and 1 together where the lowest edges tie.
    for (key, values) in [("ref", reference), ("live", live)] {
      var counts = distribution.counts(of: values)
      if distribution.isTiedBelow { counts.replaceSubrange(0..<2, with: [counts[0] + counts[1], 0]) }
      let shares = counts.map { Double($0) / Double(values.count) }
      #expect(agree(shares, golden.numbers(key), within: 1e-15), "\(name) \(key)")
    }
  }

  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `every comparison of real years is the golden one`() throws {
    let psi = try Golden.object("psi")
    let years: [(String, ClosedRange<Int>, ClosedRange<Int>)] = [
      ("calm_2004_2006_vs_crisis_2008", 2004...2006, 2008...2008), ("2004_2006_vs_2005", 2004...2006, 2005...2005),
      ("2012_2016_vs_2017", 2012...2016, 2017...2017), ("1999_2006_vs_2007_2018", 1999...2006, 2007...2018),
    ]
    #expect(psi.count == 5)
    for (name, reference, live) in years {
      try check(
        name, try Golden.object("psi", name), reference: try Golden.returns(reference), live: try Golden.returns(live))
    }
    let calm = try Golden.returns(2004...2006)
    let name = "2004_2006_vs_last60_of_2006"
    try check(name, try Golden.object("psi", name), reference: calm, live: Array(calm.suffix(60)))
    let verdict = try DriftReport.compare(reference: calm, live: Array(calm.suffix(60))).verdict
    #expect(verdict == .tooFew)
    let crisis = try DriftReport.compare(reference: calm, live: try Golden.returns(2008...2008))
    #expect(crisis.verdict == .drift && crisis.ksChance < 1e-6 && crisis.jsd > 0.05)
  }

  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `empty bins and a constant reference are the golden ones`() throws {
    let hundred = (0..<100).map(Double.init)
    try check(
      "empty bin", try Golden.object("psi_empty_bin"), reference: hundred, live: (0..<50).map { 100 + Double($0) })
    try check(
      "constant", try Golden.object("psi_constant_reference"), reference: [Double](repeating: 3, count: 100),
      live: (0..<50).map { $0 < 4 ? 3 : 4 })
  }

  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `half of real sixty-day windows exceed the alert, which is why sixty values give no verdict`() throws {
    let golden = try Golden.object("psi_real_60day_windows_2014_2018_vs_2012_2016")
    let reference = try DriftReference(try Golden.returns(2012...2016))
    let live = try Golden.returns(2014...2018)
    let reports = stride(from: 0, through: live.count - 60, by: 1).map {
      DriftReport(reference, live: reference.counts(of: Array(live[$0..<($0 + 60)])))
    }
    let share = Double(reports.count { $0.psi > 0.25 }) / Double(reports.count)
    #expect(abs(share - golden.number("share_gt_0_25")) < 0.1, "\(share)")
    #expect(reports.allSatisfy { $0.verdict == .tooFew })
  }

  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `without change the index is as often above its alert as the golden simulation says`() throws {
    let golden = try Golden.object("psi_false_alarm_simulation_ref1000_10bins")
    var random = SplitMix64(seed: 42)
    let reference = try DriftReference((0..<1000).map { _ in random.unit() })
    for (count, tolerance) in [(50, 0.06), (100, 0.03), (200, 0.002)] {
      let figures = golden["\(count)"] as? [String: Any] ?? [:]
      let reports = (0..<400).map { _ in
        DriftReport(reference, live: reference.counts(of: (0..<count).map { _ in random.unit() }))
      }
      let share = Double(reports.count { $0.psi > 0.25 }) / 400
      #expect(abs(share - figures.number("p_gt_0_25")) < tolerance, "\(count): \(share)")
      #expect(abs((reports.first?.psiNullMean ?? 0) - figures.number("theory_mean")) < 1e-12)
    }
  }
}

// Goal: what the reference file does not say. Method: plain twins on seeded values with ties, missing and wild ones.
struct DriftTests {
  private func values(_ count: Int, seed: UInt64, shift: Double = 0) -> [Double] {
    var random = SplitMix64(seed: seed)
    let isTied = seed % 2 == 0
    return (0..<count).map { _ in
      if random.below(50) == 0 { return .nan }
      let value = random.unit() + random.unit() + shift
      return isTied ? (value * 4).rounded() / 4 : value
    }
  }

  @Test(arguments: Seeds.brief)
  func `the three distances equal plain definitions`(seed: UInt64) throws {
    let reference = values(500, seed: seed)
    let live = values(300, seed: seed ^ 77, shift: 0.3)
    let report = try DriftReport.compare(reference: reference, live: live)
    let a = reference.filter(\.isFinite)
    let b = live.filter(\.isFinite)
    #expect(report.referenceCount == a.count && report.liveCount == b.count)
    // Distribution functions at every value of either.
    let distance = (a + b).map { x in
      abs(Double(a.count { $0 <= x }) / Double(a.count) - Double(b.count { $0 <= x }) / Double(b.count))
    }.max()
    #expect(abs(report.ks - (distance ?? 0)) < 1e-12, "seed \(seed)")
    // Bins by the definition: the number of edges below the value.
    let edges = try DriftReference(reference).edges
    var psi = 0.0
    var jsd = 0.0
    for bin in 0..<10 {
      let p = Double(a.count { x in edges.count { $0 < x } == bin }) / Double(a.count)
      let q = Double(b.count { x in edges.count { $0 < x } == bin }) / Double(b.count)
      psi += (max(q, 1e-4) - max(p, 1e-4)) * (log(max(q, 1e-4)) - log(max(p, 1e-4)))
      let m = (p + q) / 2
      jsd += (p > 0 ? 0.5 * p * log(p / m) : 0) + (q > 0 ? 0.5 * q * log(q / m) : 0)
    }
    #expect(abs(report.psi - psi) < 1e-12 && abs(report.jsd - jsd) < 1e-12, "seed \(seed)")
    #expect(report.jsd >= 0 && report.jsd <= log(2) && report.ks <= 1)
    let same = try DriftReport.compare(reference: reference, live: reference)
    #expect(same.psi == 0 && same.ks == 0 && same.jsd < 1e-15 && same.verdict == .ok, "seed \(seed)")
  }

  @Test(arguments: Seeds.brief)
  func `the counter's window holds what a plain list of the same values holds`(seed: UInt64) throws {
    let reference = try DriftReference(values(400, seed: seed))
    var counter = DriftCounter(edges: reference.countingEdges, window: 80)
    var recorded: [Double] = []
    var missing = 0
    for value in values(1000, seed: seed ^ 5) {
      counter.record(value)
      if value.isFinite { recorded.append(value) } else { missing += 1 }
      // Blocks of ten: the last seven whole ones and the one being filled.
      let held = recorded.suffix(recorded.count < 80 ? recorded.count : 70 + recorded.count % 10)
      let counts = counter.binCounts
      let list = (0..<10).map { Int(counts[$0]) }
      let expected = reference.counts(of: Array(held))
      let windowCount = counter.windowCount
      #expect(list == expected && windowCount == held.count, "seed \(seed) after \(recorded.count)")
    }
    #expect(counter.recorded == UInt64(recorded.count) && counter.missing == UInt64(missing))
    let report = DriftReport(reference, counter)
    let twin = DriftReport(reference, live: reference.counts(of: Array(recorded.suffix(70 + recorded.count % 10))))
    #expect(report == twin)
    counter.reset()
    let emptied = DriftReport(reference, counter)
    #expect(emptied.liveCount == 0 && emptied.verdict == .tooFew && emptied.psi == 0)
  }

  @Test func `values below a constant or tied reference are seen`() throws {
    let constant = [Double](repeating: 0, count: 500)
    let below = try DriftReport.compare(reference: constant, live: [Double](repeating: -1, count: 300))
    // The golden definition puts what equals the edge and what is below it into one bin.
    #expect(below.psi == 0 && below.psiTied > 1 && below.verdict == .drift && below.ks == 1)
    let same = try DriftReport.compare(reference: constant, live: [Double](repeating: 0, count: 300))
    #expect(same.psiTied == 0 && same.verdict == .ok)
    let tied = (0..<500).map { Double(max(0, $0 - 250)) }
    let moved = try DriftReport.compare(reference: tied, live: tied.map { $0 == 0 ? -5 : $0 })
    #expect(moved.psi == 0 && moved.verdict == .drift)
  }

  @Test func `empty, single, missing and enormous values are answered`() throws {
    let error = #expect(throws: GovernanceError.self) {
      try DriftReport.compare(reference: [.nan, .infinity], live: [1])
    }
    #expect(error?.description == "reference: at least 1 finite value expected, none found")
    let one = try DriftReport.compare(reference: [1], live: [])
    #expect(one.verdict == .tooFew && one.psi == 0 && one.ks == 0 && one.ksChance == 1)
    let wild = try DriftReport.compare(
      reference: [-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude, 0],
      live: [.nan, -.infinity, .leastNonzeroMagnitude])
    #expect(wild.liveCount == 1 && wild.psi.isFinite && wild.jsd.isFinite)
    let distribution = try DriftReference([-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude])
    #expect(distribution.fault == nil)
  }

  @Test func `the chance of a distance is Kolmogorov's`() {
    // Critical distances of the limit: 1.3581 at 5 %, 1.6276 at 1 %.
    let large = 1_000_000
    let size = (Double(large) / 2).squareRoot()
    #expect(abs(DriftStatistics.ksChance(distance: 1.3581 / size, reference: large, live: large) - 0.05) < 1e-4)
    #expect(abs(DriftStatistics.ksChance(distance: 1.6276 / size, reference: large, live: large) - 0.01) < 1e-4)
    #expect(DriftStatistics.ksChance(distance: 0, reference: 5, live: 5) == 1)
    #expect(DriftStatistics.ksChance(distance: 1, reference: 500, live: 500) < 1e-100)
  }

  @Test func `a feature that stopped coming is drift, one with the reference's gaps is not`() throws {
    func column(_ count: Int, valueEvery step: Int) -> [Double] {
      (0..<count).map { $0 % step == 0 ? Double($0 / step * 37 % 101) : .nan }
    }
    func verdict(_ reference: [Double], _ live: [Double]) throws -> DriftVerdict {
      let report = try DriftReport.compare(reference: reference, live: live)
      let regimes = try RegimeDriftReport.compare(
        reference: reference, referenceRegimes: reference.map { _ in 1 }, live: live, liveRegimes: live.map { _ in 1 },
        regimeCount: 2)
      #expect(regimes.verdict == report.verdict)
      return report.verdict
    }
    let whole = column(1010, valueEvery: 1)
    #expect(try verdict(whole, column(200, valueEvery: 999)) == .drift)
    #expect(try verdict(whole, [Double](repeating: .nan, count: 200)) == .drift)
    #expect(try verdict(whole, [Double](repeating: .nan, count: 199)) == .tooFew, "too few rows")
    // A third is left, and looks like before.
    #expect(try verdict(whole, column(909, valueEvery: 3)) == .drift)
    #expect(try verdict(whole, column(808, valueEvery: 2)) == .ok, "half is left")
    let rare = column(4040, valueEvery: 4)
    #expect(try verdict(rare, column(1616, valueEvery: 4)) == .ok)
    #expect(try verdict(rare, column(796, valueEvery: 4)) == .tooFew)
    #expect(try verdict(rare, column(796, valueEvery: 800)) == .tooFew, "199 expected")
    #expect(try verdict(rare, column(800, valueEvery: 800)) == .drift)
    var alarm = DriftAlarm()
    let gone = try DriftReport.compare(reference: whole, live: [Double](repeating: .nan, count: 300))
    let back = try DriftReport.compare(reference: whole, live: whole)
    let changes = [gone, gone, back, back].map { alarm.hear($0) }
    #expect(changes == [.alert, nil, .cleared, nil])
  }

  @Test func `a change of regime is no drift within the regimes`() throws {
    var random = SplitMix64(seed: 9)
    func day(_ regime: Int) -> Double { (random.unit() - 0.5) * (regime == 0 ? 1 : 5) }
    let referenceRegimes = (0..<2000).map { $0 % 4 == 0 ? 1 : 0 }
    let reference = referenceRegimes.map(day)
    let liveRegimes = (0..<1000).map { $0 % 4 == 0 ? 0 : 1 }
    let live = liveRegimes.map(day)
    let plain = try DriftReport.compare(reference: reference, live: live)
    let within = try RegimeDriftReport.compare(
      reference: reference, referenceRegimes: referenceRegimes, live: live, liveRegimes: liveRegimes, regimeCount: 3)
    #expect(plain.verdict == .drift && within.verdict == .ok)
    #expect(within.regimes.count == 3 && within.regimes[2] == nil)
    let moved = try RegimeDriftReport.compare(
      reference: reference, referenceRegimes: referenceRegimes, live: live.map { $0 + 2 }, liveRegimes: liveRegimes,
      regimeCount: 2)
    #expect(moved.verdict == .drift)
    #expect(throws: GovernanceError.self) {
      try RegimeDriftReport.compare(
        reference: [1], referenceRegimes: [2], live: [], liveRegimes: [], regimeCount: 2)
    }
  }

  @Test func `an alarm rings once and clears lower than it rang`() throws {
    let reference = try DriftReference((0..<1000).map { Double($0) / 1000 })
    func report(_ shift: Double, _ count: Int = 500) -> DriftReport {
      DriftReport(reference, live: reference.counts(of: (0..<count).map { Double($0) / Double(count) + shift }))
    }
    var alarm = DriftAlarm()
    #expect(report(0.2).psi > 0.25 && (0.1...0.25).contains(report(0.08).psi) && report(0).psi < 0.1)
    let changes = [
      report(0), report(0.08), report(0.2), report(0.2), report(0.08), report(0, 50), report(0), report(0),
    ]
    .map { alarm.hear($0) }
    #expect(changes == [nil, nil, .alert, nil, nil, nil, .cleared, nil])
  }

  @Test(.enabled(if: countsAllocations))
  func `recording allocates nothing`() throws {
    var counter = DriftCounter(edges: (1...9).map(Double.init), window: 800)
    counter.record(1)
    let counts = counting { for value in 0..<10_000 { counter.record(Double(value % 11)) } }
    let windowCount = counter.windowCount
    #expect(counts.allocations == 0 && windowCount <= 800)
  }
}
