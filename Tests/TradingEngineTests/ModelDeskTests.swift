import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: whichever models come and go, each forecast is that of one whole model, as if that model had always been there. Method: seeded feeds of
// questions and bars, against an ensemble of its own for each model that sees the whole feed; idle time before every step, or none, or at times.
@Suite struct ModelDeskTests {
  static let instruments = 3

  /// How much idle time a desk gets.
  enum Idleness: CaseIterable {
    case none, some, ample

    func spend(_ desk: inout ModelDesk, _ random: inout SplitMix64) {
      switch self {
      case .none: return
      case .some: for _ in 0..<random.below(4) { _ = desk.advance() }
      case .ample: while desk.advance() {}
      }
    }
  }

  @Test(arguments: Seeds.brief.prefix(3), Idleness.allCases)
  func `models swapped in forecast as if they had always been there`(seed: UInt64, idleness: Idleness) throws {
    let feed = ModelDeskFeed(seed: seed, count: 500, instruments: Self.instruments)
    var random = SplitMix64(seed: seed ^ 7)
    // Model m has number m + 1; windows of different lengths, one of a single row.
    let windows = [1, 6, 12, 5, 9]
    let models = windows.enumerated().map { ModelDeskModels.model(seed &+ UInt64($0), window: $1) }
    let expected = models.map { feed.forecasts(of: $0) }
    var desk = try ModelDesk.standing(models[0], instruments: Self.instruments)
    var publisher = desk.takePublisher()
    var split = ChallengerSplit(challengerBucketCount: 0)
    var (champion, challenger, shadow) = (0, -1, -1)
    var shadowQuestions = 0
    var effects = 0
    for (number, step) in feed.steps.enumerated() {
      let sequence = UInt64(number + 1)
      if publisher.isFree, random.below(8) == 0 {
        let index = random.below(models.count)
        let model = DeskModel(models[index], id: UInt64(index + 1), instrumentCount: Self.instruments)
        var change: ModelChange
        switch random.below(6) {
        case 0, 1: change = .champion(model)
        case 2:
          change = .challenger(model, ChallengerSplit(challengerBucketCount: 2_500 * random.below(5)))
        case 3: change = .endChallenger()
        case 4: change = .shadow(model)
        default: change = .endShadow()
        }
        if random.below(2) == 0 { change.earliestSequence = sequence + UInt64(random.below(6)) }
        let isPublished = publisher.publish(change)
        #expect(isPublished)
      }
      idleness.spend(&desk, &random)
      let forecast = desk.take(step, sequence)
      if let effect = publisher.collectEffect() {
        effects += 1
        #expect(effect.sequence == sequence)
        let taken = Int(effect.model) - 1
        switch effect.place {
        case .champion: champion = taken
        case .challenger:
          challenger = taken
          split = ChallengerSplit(challengerBucketCount: Int(effect.challengerBucketCount))
        case .shadow: shadow = taken
        }
      }
      guard case .question(_, let instrument) = step, let forecast else { continue }
      let isChallenger =
        challenger >= 0 && split.isChallenger(InstrumentID(index: UInt32(instrument)), session: desk.session)
      let decides = isChallenger ? challenger : champion
      let lastModel = desk.lastModel
      #expect(lastModel == UInt64(decides + 1))
      #expect(ForecastBits(forecast) == expected[decides][number], "seed \(seed), step \(number), model \(decides)")
      guard !isChallenger, shadow >= 0 else { continue }
      shadowQuestions += 1
      let said = desk.lastShadow
      #expect(ForecastBits(said) == expected[shadow][number], "seed \(seed), step \(number), shadow \(shadow)")
    }
    #expect(effects > 20 && shadowQuestions > 5)
  }

  // What a longer memory holds depends on when it began: by definition with the rows of one window before the event of the change.
  @Test(arguments: Seeds.brief.prefix(3))
  func `a stateful model begins with one window of rows, whatever idle time there is`(seed: UInt64) throws {
    let feed = ModelDeskFeed(seed: seed, count: 400, instruments: Self.instruments)
    let window = 5
    let model = ModelDeskModels.model(seed, window: window, mode: .stateful)
    let begin = 180
    // The twin: an ensemble that is given the newest rows when the change comes, and everything after it.
    let arena = Arena(capacityBytes: Ensemble.arenaBytes(for: model, instrumentCount: Self.instruments))
    var twin = Ensemble(model, instrumentCount: Self.instruments, in: arena)
    var past = [[FeatureVector]](repeating: [], count: Self.instruments)
    var expected: [ForecastBits?] = []
    for (number, step) in feed.steps.enumerated() {
      if number == begin {
        for (instrument, rows) in past.enumerated() {
          for row in rows.suffix(window - 1) { twin.close(row, of: instrument) }
        }
      }
      switch step {
      case .question(let vector, let instrument): expected.append(ForecastBits(twin.forecast(vector, of: instrument)))
      case .bar(let vector, let instrument, let isFirst):
        expected.append(nil)
        if number >= begin {
          twin.close(vector, of: instrument, isFirst: isFirst)
        } else {
          if isFirst || vector.values[5] == 1e300 { past[instrument] = [] }
          if vector.values[5] != 1e300 { past[instrument].append(vector) }
        }
      }
    }
    for idleness in Idleness.allCases {
      var random = SplitMix64(seed: seed)
      var desk = try ModelDesk.standing(ModelDeskModels.model(9), instruments: Self.instruments)
      var publisher = desk.takePublisher()
      for (number, step) in feed.steps.enumerated() {
        if number == begin - 30 {
          var change = ModelChange.champion(DeskModel(model, id: 2, instrumentCount: Self.instruments))
          change.earliestSequence = UInt64(begin)
          _ = publisher.publish(change)
        }
        idleness.spend(&desk, &random)
        let forecast = desk.take(step, UInt64(number))
        if number >= begin, let forecast { #expect(ForecastBits(forecast) == expected[number], "step \(number)") }
      }
    }
  }

  @Test func `a model that stood here before begins with the rows of now`() throws {
    let feed = ModelDeskFeed(seed: 4, count: 600, instruments: Self.instruments)
    let models = [ModelDeskModels.model(1, window: 6), ModelDeskModels.model(2, window: 8)]
    let expected = models.map { feed.forecasts(of: $0) }
    var desk = try ModelDesk.standing(models[0], instruments: Self.instruments)
    var publisher = desk.takePublisher()
    _ = publisher.publish(.champion(DeskModel(models[1], id: 2, instrumentCount: Self.instruments)))
    for (number, step) in feed.steps.enumerated() {
      // The former champion goes straight back, now and then.
      if number % 37 == 0, var change = publisher.collect(), let former = change.model.take() {
        _ = publisher.publish(.champion(former))
      }
      let forecast = desk.take(step, UInt64(number))
      guard let forecast else { continue }
      let decides = Int(desk.lastModel) - 1
      #expect(ForecastBits(forecast) == expected[decides][number], "step \(number)")
    }
    let swaps = desk.counters.swaps
    #expect(swaps > 10)
  }

  @Test func `a change waits for its event, and a second one for the first to be collected`() throws {
    var desk = try ModelDesk.standing(ModelDeskModels.model(1))
    var publisher = desk.takePublisher()
    let vector = FeatureVector()
    func change(_ id: UInt64) -> ModelChange {
      .champion(DeskModel(ModelDeskModels.model(id), id: id, version: 7, instrumentCount: 1))
    }
    var first = change(2)
    first.earliestSequence = 100
    let isPublished = publisher.publish(first)
    let isRefused = !publisher.publish(change(3))
    #expect(isPublished && isRefused)
    for sequence in [1, 50, 99] as [UInt64] {
      _ = desk.take(.question(vector, 0), sequence)
      let (model, isThere) = (desk.lastModel, publisher.collect() != nil)
      #expect(model == 1 && !isThere)
    }
    _ = desk.take(.question(vector, 0), 104)
    guard let back = publisher.collect() else { return #expect(Bool(false), "the change came back") }
    let (model, hasFormer, effect) = (desk.lastModel, back.model != nil, back.effect)
    #expect(model == 2 && hasFormer)
    #expect(
      effect
        == ModelSwap(
          sequence: 104, time: Timestamp(nanoseconds: 104_000), place: .champion, model: 2, version: 7, former: 1))
    // Without an event nothing changes, whatever is asked.
    _ = publisher.publish(change(3))
    _ = desk.forecast(vector, for: InstrumentID(index: 0), at: .distantPast)
    let before = desk.lastModel
    _ = desk.take(.question(vector, 0), 105)
    let after = desk.lastModel
    #expect(before == 2 && after == 3)
    let notices = [publisher.nextNotice(), publisher.nextNotice(), publisher.nextNotice()]
    #expect(notices.map { $0?.kind } == [.swapped, .swapped, nil])
    #expect(notices.map { $0?.model } == [2, 3, nil])
  }

  @Test func `a model that does not fit has a reason`() throws {
    var desk = try ModelDesk.standing(ModelDeskModels.model(1), instruments: 2, windowMax: 6)
    let publisher = desk.takePublisher()
    let few = DeskModel(ModelDeskModels.model(1), id: 2, instrumentCount: 1)
    let long = DeskModel(ModelDeskModels.model(1, window: 7), id: 2, instrumentCount: 2)
    let right = DeskModel(ModelDeskModels.model(1, window: 6), id: 2, instrumentCount: 2)
    let faults = (publisher.fault(of: few), publisher.fault(of: long), publisher.fault(of: right))
    #expect(faults.0 == "a model of 2 instruments, not 1")
    #expect(faults.1 == "a model with windows of at most 6 rows, not 7")
    #expect(faults.2 == nil)
  }

  @Test(arguments: [0, 1, 2_000, 5_000, 10_000])
  func `the challenger decides exactly the instruments of its hash, in every session`(buckets: Int) throws {
    let count = 200
    let split = ChallengerSplit(challengerBucketCount: buckets)
    var desk = try ModelDesk.standing(ModelDeskModels.model(1), instruments: count, windowMax: 1)
    var publisher = desk.takePublisher()
    _ = publisher.publish(.challenger(DeskModel(ModelDeskModels.model(2), id: 2, instrumentCount: count), split))
    let vector = FeatureVector()
    var challenged = 0
    for session in 0..<5 as Range<UInt64> {
      desk.session = session
      for instrument in 0..<count {
        _ = desk.take(.question(vector, instrument), 1)
        // FNV-1a over the instrument's four bytes and the session's eight, SplitMix64's finaliser, modulo 10,000: by definition.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in 0..<4 { hash = (hash ^ UInt64(instrument >> (8 * byte) & 255)) &* 0x100_0000_01B3 }
        for byte in 0..<8 { hash = (hash ^ (session >> UInt64(8 * byte) & 255)) &* 0x100_0000_01B3 }
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        let isChallenger = (hash ^ hash >> 31) % 10_000 < UInt64(buckets)
        let model = desk.lastModel
        #expect(model == (isChallenger ? 2 : 1), "instrument \(instrument), session \(session)")
        challenged += isChallenger ? 1 : 0
      }
    }
    let counted = desk.counters.challenged
    #expect(counted == UInt64(challenged))
    let share = Double(challenged) / Double(5 * count)
    #expect(abs(share - split.challengerShare) < 0.05)
    let notice = publisher.nextNotice()
    #expect(notice?.kind == .challengerStarted && notice?.value == split.challengerShare)
    _ = publisher.collect()
    _ = publisher.publish(.endChallenger())
    _ = desk.take(.question(vector, 0), 2)
    let stopped = publisher.nextNotice()
    #expect(stopped?.kind == .challengerStopped && stopped?.model == 2)
  }

  @Test func `the shadow is compared and tells how often it disagrees`() throws {
    let models = [ModelDeskModels.model(1), ModelDeskModels.model(2)]
    let feed = ModelDeskFeed(seed: 8, count: 7_000, instruments: 1)
    let expected = models.map { feed.forecasts(of: $0) }
    var desk = try ModelDesk.standing(models[0])
    var publisher = desk.takePublisher()
    _ = publisher.publish(.shadow(DeskModel(models[1], id: 2, instrumentCount: 1)))
    var (compared, disagreed, blocks) = (0, 0, [Double]())
    var inBlock = 0
    for (number, step) in feed.steps.enumerated() {
      let forecast = desk.take(step, UInt64(number))
      guard let forecast, let other = expected[1][number], other.isUsable else { continue }
      #expect(ForecastBits(forecast) == expected[0][number])
      compared += 1
      if (forecast.probabilityUp > 0.5) != (Double(bitPattern: other.probability) > 0.5) {
        disagreed += 1
        inBlock += 1
      }
      if compared % Int(ModelDesk.shadowBlockCount) == 0 {
        blocks.append(Double(inBlock) / Double(ModelDesk.shadowBlockCount))
        inBlock = 0
      }
    }
    let tally = desk.shadowTally
    #expect(tally.compared == UInt64(compared) && tally.disagreed == UInt64(disagreed) && disagreed > 100)
    for share in blocks {
      let notice = publisher.nextNotice()
      #expect(notice?.kind == .shadowDisagreement && notice?.model == 2 && notice?.value == share)
    }
    let last = publisher.nextNotice()
    #expect(blocks.count >= 2 && last == nil)
  }

  @Test func `notices that nobody reads are counted, and changes are not lost`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    var desk = try ModelDesk(
      champion: DeskModel(ModelDeskModels.model(1), id: 1, instrumentCount: 1), windowMax: 1, noticeCapacity: 4,
      in: arena)
    var publisher = desk.takePublisher()
    var effects = 0
    for number in 2...11 as ClosedRange<UInt64> {
      _ = publisher.publish(.champion(DeskModel(ModelDeskModels.model(1), id: number, instrumentCount: 1)))
      _ = desk.take(.question(FeatureVector(), 0), number)
      if publisher.collectEffect()?.model == number { effects += 1 }
    }
    let (lost, swaps) = (desk.counters.lostNotices, desk.counters.swaps)
    #expect(effects == 10 && swaps == 10 && lost == 6)
  }
}
