import FuzzTargets
import ModelInference
import TestSupport
import Testing

@testable import ModelImport

// Goal: no bytes whatever make the loader of artifacts trap, and no accident goes unseen. Method: a small artifact with
// every kind of section, operator and tree, cut and flipped, then damaged behind right checksums and asked for answers.
// `proof model` does the same for as long as it is told.
struct ArtifactDamageTests {
  @Test func `the artifact itself is loaded, sealed again or not`() throws {
    let damage = try ArtifactDamage(seed: 1)
    #expect(ArtifactDamage.sealed(damage.whole) == damage.whole)
    #expect(damage.loads(damage.whole))
  }

  @Test func `every truncation and flips anywhere are refused`() throws {
    var damage = try ArtifactDamage(seed: 2)
    let cut = damage.truncations()
    #expect(cut.tried == damage.whole.count && cut.refused == cut.tried)
    let flipped = damage.flips(2_000)
    #expect(flipped.tried == 2_000 && flipped.refused == flipped.tried)
  }

  @Test(arguments: Seeds.brief)
  func `damage behind right checksums is refused or borne`(seed: UInt64) throws {
    var damage = try ArtifactDamage(seed: seed)
    let tally = damage.resealed(60)
    // Some loads: the damage gets past the checksums, and what it leaves is asked for answers.
    #expect(tally.tried == 60 && tally.refused > 30, "seed \(seed): \(tally.refused) refused")
  }

  // Goal: a kernel that is wrong when an artifact is written is noticed there. Method: each answer that the reference is
  // asked for, a bit changed.
  @Test func `golden answers are compared with the reference when they are made`() throws {
    let artifact = try ModelArtifact(bytes: ArtifactDamage(seed: 1).whole)
    let golden = artifact.golden
    #expect(ArtifactWriter.referenceFault(of: golden, in: artifact.model) == nil)
    for number in golden.answers.indices {
      for member in 0..<2 where member == 0 || number == golden.answers.count - 1 {
        var wrong = golden
        wrong.answers[number].raw[member] ^= 1
        let fault = ArtifactWriter.referenceFault(of: wrong, in: artifact.model)
        #expect(fault?.contains("golden answer \(number) of member") == true, "answer \(number), member \(member)")
      }
    }
  }
}
