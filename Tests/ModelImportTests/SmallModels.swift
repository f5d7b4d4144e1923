import Foundation

/// Models of a few nodes as text, to change one thing at a time in them.
enum SmallModels {
  /// LightGBM's text: one tree of one split, or of a single leaf, and whatever is replaced in it.
  static func lightGBM(
    _ replacing: [(String, String)] = [], threshold: String = "0.5", type: String = "2", leaves: Int = 2
  ) -> String {
    var tree = """
      Tree=0
      num_leaves=\(leaves)
      num_cat=0
      split_feature=\(leaves > 1 ? "1" : "")
      threshold=\(leaves > 1 ? threshold : "")
      decision_type=\(leaves > 1 ? type : "")
      left_child=\(leaves > 1 ? "-1" : "")
      right_child=\(leaves > 1 ? "-2" : "")
      leaf_value=\(leaves > 1 ? "0.25 -0.75" : "0.125")
      is_linear=0
      shrinkage=0.1


      """
    for (old, new) in replacing { tree = tree.replacing(old, with: new) }
    var header = """
      tree
      version=v4
      num_class=1
      num_tree_per_iteration=1
      label_index=0
      max_feature_idx=1
      objective=binary sigmoid:1
      feature_names=first second
      feature_infos=[0:1] [0:1]
      tree_sizes=\(tree.utf8.count)


      """
    for (old, new) in replacing { header = header.replacing(old, with: new) }
    return header + tree + "end of trees\n"
  }

  /// XGBoost's JSON: one tree of one numerical and one categorical split, and whatever is replaced in it.
  static func xgboost(_ replacing: [(String, String)] = []) -> String {
    var text = """
      {"learner": {"attributes": {}, "feature_names": ["a", "b"], "feature_types": ["float", "c"],
      "gradient_booster": {"model": {"gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"},
      "iteration_indptr": [0, 1], "tree_info": [0], "trees": [{"base_weights": [0.5, 0.5, 0.5, 0.5, 0.5],
      "categories": [0, 33], "categories_nodes": [2], "categories_segments": [0], "categories_sizes": [2],
      "default_left": [1, 0, 0, 0, 0], "id": 0, "left_children": [1, -1, 3, -1, -1], "right_children": [2, -1, 4, -1, -1],
      "parents": [2147483647, 0, 0, 2, 2], "split_conditions": [0.1, 0.25, 0E0, -0.5, 1.5],
      "split_indices": [0, 0, 1, 0, 0], "split_type": [0, 0, 1, 0, 0],
      "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "5", "size_leaf_vector": "1"}}]},
      "name": "gbtree"},
      "learner_model_param": {"base_score": "[5E-1]", "boost_from_average": "1", "num_class": "0", "num_feature": "2",
      "num_target": "1"},
      "objective": {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}}}, "version": [3, 2, 0]}
      """
    for (old, new) in replacing { text = text.replacing(old, with: new) }
    return text
  }

  /// CatBoost's JSON: one oblivious tree of two splits, and whatever is replaced in it.
  static func catBoost(_ replacing: [(String, String)] = []) -> String {
    var text = """
      {"features_info": {"float_features": [
      {"borders": [0.5], "feature_id": "a", "feature_index": 0, "flat_feature_index": 0, "has_nans": true,
      "nan_value_treatment": "AsTrue"},
      {"borders": [0.25], "feature_id": "b", "feature_index": 1, "flat_feature_index": 2, "has_nans": false,
      "nan_value_treatment": "AsIs"}],
      "categorical_features": [{"feature_id": "venue", "feature_index": 0, "flat_feature_index": 1}]},
      "model_info": {"class_params": {"class_names": [0, 1]}, "params": {"loss_function": {"type": "Logloss"}}},
      "oblivious_trees": [{"leaf_values": [1, 2, 3, 4], "leaf_weights": [1, 1, 1, 1], "splits": [
      {"border": 0.5, "float_feature_index": 0, "split_index": 0, "split_type": "FloatFeature"},
      {"border": 0.25, "float_feature_index": 1, "split_index": 1, "split_type": "FloatFeature"}]}],
      "scale_and_bias": [2, [0.5]]}
      """
    for (old, new) in replacing { text = text.replacing(old, with: new) }
    return text
  }

  /// A tree of one split whose children are leaves, as CatBoost writes the other growing policies.
  static let catBoostGrown = [
    ("\"oblivious_trees\"", "\"unused\""),
    (
      "\"scale_and_bias\"",
      """
      "trees": [{"split": {"border": 0.5, "float_feature_index": 0, "split_type": "FloatFeature"},
      "left": {"value": 1, "weight": 2}, "right": {"value": 2, "weight": 2}}], "scale_and_bias"
      """
    ),
  ]

  /// What MLflow writes beside a model.
  static func mlflow(_ replacing: [(String, String)] = []) -> String {
    var text = """
      artifact_path: model
      flavors:
        lightgbm:
          code: null
          data: model.lgb
          lgb_version: 4.7.0
          model_class: lightgbm.basic.Booster
        python_function:
          data: model.lgb
          env:
            conda: conda.yaml
            virtualenv: python_env.yaml
          loader_module: mlflow.lightgbm
      mlflow_version: 2.14.1
      model_uuid: 0123456789abcdef
      run_id: 'aa11'
      signature:
        inputs: '[{"type": "double", "name": "first", "required": true}, {"type": "double",
          "name": "it''s", "required": true}]'
        outputs: null
      utc_time_created: '2024-07-01 10:00:00.000000'

      """
    for (old, new) in replacing { text = text.replacing(old, with: new) }
    return text
  }

  /// The bytes of a JSON document as UBJ; arrays of numbers are packed in the types XGBoost uses, by their key.
  static func ubj(_ json: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    append(try JSONSerialization.jsonObject(with: Data(json.utf8), options: [.fragmentsAllowed]), "", to: &bytes)
    return bytes
  }

  private static func append(_ value: Any, _ key: String, to bytes: inout [UInt8]) {
    func big<I: FixedWidthInteger>(_ number: I) {
      for shift in stride(from: I.bitWidth - 8, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> I(shift)))
      }
    }
    func length(_ count: Int) {
      bytes.append(UInt8(ascii: "L"))
      big(Int64(count))
    }
    func text(_ text: String) {
      length(text.utf8.count)
      bytes += Array(text.utf8)
    }
    switch value {
    case let table as [String: Any]:
      bytes.append(UInt8(ascii: "{"))
      for key in table.keys.sorted() {
        text(key)
        append(table[key]!, key, to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    case let numbers as [NSNumber]:
      let isSingle = ["base_weights", "split_conditions", "weight_drop"].contains(key)
      let type = isSingle ? "d" : key == "default_left" || key == "split_type" ? "U" : "l"
      bytes += Array("[$\(type)#".utf8)
      length(numbers.count)
      for number in numbers {
        switch type {
        case "d": big(number.floatValue.bitPattern)
        case "U": big(number.uint8Value)
        default: big(number.int32Value)
        }
      }
    case let list as [Any]:
      bytes += Array("[#".utf8)
      length(list.count)
      for each in list { append(each, key, to: &bytes) }
    case let string as String:
      bytes.append(UInt8(ascii: "S"))
      text(string)
    case let number as NSNumber:
      bytes.append(UInt8(ascii: "L"))
      big(number.int64Value)
    default: bytes.append(UInt8(ascii: "Z"))
    }
  }
}
