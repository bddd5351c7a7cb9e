"""Which tests hold each of the 36 safety rules of docs/explanation/safety.md; `test_coverage.py` keeps this page true.

Ids are `file::test` below `tests/`. A rule, or a part of one, that this version does not touch says why.
"""

from __future__ import annotations

GUARDS, ACTIONS, ADAPTERS = "unit/guards", "unit/actions", "unit/adapters"
ENGINE, RULES, SAFETY, WHOLE = "unit/engine", "unit/rules", "safety", "integration"
RANDOM_LIFE = f"{SAFETY}/test_random_life.py::test_no_life_makes_the_engine_unsafe"

#: Rule -> the tests that hold it; the property tests first.
HELD: dict[str, tuple[str, ...]] = {
    "R1": (
        f"{SAFETY}/test_r01_empty_target.py::test_whatever_is_asked_for_a_plan_touches_only_what_it_names_or_there_is_none",
        f"{SAFETY}/test_r01_empty_target.py::test_a_target_that_names_nothing_is_refused_by_the_action_itself",
        f"{GUARDS}/test_guard_allow_list.py::test_an_empty_target_never_means_all",
        f"{GUARDS}/test_guard_pipeline.py::test_no_guards_at_all_is_a_refusal",
    ),
    "R2": (
        "unit/checks/test_no_data_is_unknown.py::test_an_answer_of_another_shape_is_never_a_problem",
        f"{RULES}/test_fold.py::test_unknown_never_opens_and_never_ends_an_incident",
        "unit/checks/test_package_check.py::test_what_is_not_known_is_never_nothing_to_do",
        f"{ENGINE}/test_tick.py::test_unknown_is_never_acted_on_and_people_are_told_in_the_end",
        f"{ENGINE}/test_tick.py::test_unknown_does_not_resolve_what_was_open",
    ),
    "R3": (
        f"{GUARDS}/test_guard_host_wide.py::test_more_failures_never_calm_a_storm",
        f"{ENGINE}/test_tick.py::test_mass_failure_brakes_and_tells_once",
        f"{ENGINE}/test_rollback.py::test_what_a_large_rollback_takes_back_is_no_storm_what_fails_beside_it_is",
    ),
    "R4": (
        f"{GUARDS}/test_guard_pipeline.py::test_an_exception_anywhere_is_a_refusal_that_says_what_it_was",
        f"{GUARDS}/test_guard_pipeline.py::test_an_answer_that_is_none_is_a_refusal",
        f"{SAFETY}/test_r15_telling_and_acting.py::test_a_guard_that_is_broken_is_a_no_and_is_told",
    ),
    "R5": (
        f"{SAFETY}/test_acting_by_property.py::test_what_is_done_was_planned_for_what_is_there_now",
        f"{SAFETY}/test_r05_stale_plan.py::test_a_target_that_changed_since_it_was_judged_is_left",
        f"{ENGINE}/test_meanwhile.py::test_a_pause_set_while_it_looks_again_holds",
        f"{GUARDS}/test_guard_lease.py::test_a_held_target_is_refused_with_its_holder",
    ),
    "R6": (
        f"{SAFETY}/test_rules_by_property.py::test_nothing_is_over_before_it_was_seen_to_be_good_for_as_long_as_asked",
        f"{ENGINE}/test_tick.py::test_success_that_does_not_help_is_a_failure",
        f"{RULES}/test_decide.py::test_good_is_no_success_before_it_stayed_good",
        f"{RULES}/test_decide.py::test_unknown_is_no_recovery_however_good_it_was",
    ),
    "R7": (
        f"{SAFETY}/test_rules_by_property.py::test_one_fault_is_repaired_no_more_often_than_it_may_come_back",
        f"{ENGINE}/test_tick.py::test_a_fix_that_keeps_coming_back_opens_the_recurrence_breaker",
        f"{GUARDS}/test_guard_breaker.py::test_a_fault_that_keeps_coming_back_is_not_repaired_again",
    ),
    "R8": (
        f"{WHOLE}/test_repairs_rules.py::test_a_change_of_a_listed_file_wakes_the_engine_and_the_change_it_makes_itself_does_not_go_round",
        f"{ENGINE}/test_rivals.py::test_however_it_goes_it_never_does_again_what_was_undone_three_times",
        f"{ENGINE}/test_rivals.py::test_the_third_undoing_is_the_last_and_people_are_told_both_sides",
        f"{ENGINE}/test_echo.py::test_what_a_restart_takes_along_opens_no_incident",
        f"{SAFETY}/test_r08_two_controllers.py::test_somebody_who_undoes_every_repair_is_told_and_not_fought",
    ),
    "R9": (
        f"{GUARDS}/test_guard_pipeline.py::test_the_emergency_stop_refuses_everyone_whatever_else",
        RANDOM_LIFE,
        f"{ADAPTERS}/test_emergency_flag.py::test_what_cannot_be_told_counts_as_set",
        f"{WHOLE}/test_faults.py::test_the_emergency_stop_outranks_everything",
        f"{WHOLE}/test_faults.py::test_a_full_disk_stops_acting_and_the_emergency_stop_still_works",
        f"{WHOLE}/test_scripts.py::test_a_hung_engine_is_stopped_and_its_service_left_alone",
    ),
    "R10": (
        f"{SAFETY}/test_rules_by_property.py::test_what_was_taken_away_comes_back_as_it_was",
        f"{ADAPTERS}/test_safe_files.py::test_quarantine_gives_back_what_it_took",
        f"{ACTIONS}/test_file_actions.py::test_a_plan_says_that_it_is_irreversible_and_changes_nothing",
        f"{WHOLE}/test_repairs_services.py::test_a_pidfile_in_the_way_is_moved_away_once_its_process_is_dead_and_the_service_starts",
    ),
    "R11": (
        f"{GUARDS}/test_guard_protected.py::test_no_person_passes_it",
        f"{GUARDS}/test_guard_protected.py::test_what_a_stop_takes_along_counts_through_any_number_of_units",
        f"{GUARDS}/test_guard_protected.py::test_paths_of_the_protected_set_are_refused",
        RANDOM_LIFE,
    ),
    "R13": (
        RANDOM_LIFE,
        f"{SAFETY}/test_r13_no_backlog.py::test_what_piled_up_behind_a_brake_is_not_replayed",
    ),
    "R14": (
        f"{SAFETY}/test_acting_by_property.py::test_a_child_that_prints_without_end_costs_a_few_thousand_characters",
        f"{ADAPTERS}/test_linux_control.py::test_output_is_bounded_and_cannot_move_a_cursor",
        f"{WHOLE}/test_alert_outbox.py::test_ten_thousand_at_once_become_a_few_and_one_roll_up",
        f"{ADAPTERS}/test_sqlite_store_crash.py::test_a_disk_that_is_really_full",
        f"{ENGINE}/test_sampler.py::test_too_many_hangs_stop_the_asking_not_the_engine",
        f"{ENGINE}/test_start_on_a_bad_state.py::test_an_engine_starts_on_its_own_state_while_that_is_locked",
        f"{ENGINE}/test_start_on_a_bad_state.py::test_an_engine_starts_although_a_table_of_its_state_is_damaged",
    ),
    "R15": (
        f"{SAFETY}/test_acting_by_property.py::test_neither_telling_nor_acting_needs_the_other",
        f"{SAFETY}/test_r15_telling_and_acting.py::test_a_notifier_that_is_broken_keeps_nothing_from_being_repaired",
        f"{SAFETY}/test_r15_telling_and_acting.py::test_a_ledger_that_takes_nothing_stops_acting_not_telling",
        f"{WHOLE}/test_alert_outbox.py::test_while_the_state_cannot_be_written_messages_go_to_a_file_and_still_out",
    ),
    "R16": (
        RANDOM_LIFE,
        f"{ENGINE}/test_tick.py::test_the_intent_is_durable_before_the_effect",
        f"{WHOLE}/test_faults.py::test_killed_at_any_seam_nothing_is_replayed_and_everything_is_verified",
        f"{WHOLE}/test_systemd_engine.py::test_an_engine_that_is_killed_in_a_repair_verifies_and_repeats_nothing",
    ),
    "R17": (
        f"{SAFETY}/test_r17_text_is_data.py::test_what_is_done_is_what_the_configuration_says_whatever_was_seen",
        f"{SAFETY}/test_r32_bans.py::test_no_address_inside_a_name_is_ever_banned",
        "unit/cli/test_untrusted_text.py::test_nothing_that_a_terminal_obeys_passes",
        f"{ADAPTERS}/test_linux_control.py::test_service_names_lead_nowhere",
    ),
    "R18": (
        f"{SAFETY}/test_rules_by_property.py::test_a_program_is_handed_each_argument_as_it_is",
        f"{SAFETY}/test_code_contracts.py::test_no_shell_and_no_text_becomes_code",
        f"{ADAPTERS}/test_linux_control.py::test_arguments_are_never_read_by_a_shell",
    ),
    "R19": (
        f"{ADAPTERS}/test_safe_files_properties.py::test_nothing_outside_the_declared_directory_is_touched",
        f"{SAFETY}/test_code_contracts.py::test_what_decides_changes_nothing_by_itself",
        f"{ADAPTERS}/test_safe_files.py::test_hard_links_fifos_and_sockets_are_left",
        f"{ADAPTERS}/test_linux_control.py::test_a_deleted_log_is_truncated_only_under_all_conditions",
        f"{WHOLE}/test_repairs_room.py::test_a_full_temporary_directory_is_cleaned_oldest_first_down_to_the_level",
    ),
    "R20": (
        f"{SAFETY}/test_changes_by_property.py::test_a_process_that_began_at_any_other_time_gets_no_signal",
        f"{SAFETY}/test_code_contracts.py::test_a_signal_never_goes_to_a_number_alone",
        f"{ADAPTERS}/test_linux_control.py::test_a_reused_pid_is_a_stale_plan",
        f"{ACTIONS}/test_runaway_actions.py::test_another_process_than_planned_for_is_left",
        f"{ADAPTERS}/test_pidfile_reuse.py::test_a_process_that_began_after_the_file_was_written_is_not_believed",
        f"{WHOLE}/test_repairs_services.py::test_a_pidfile_whose_number_is_another_program_by_now_kills_nobody",
    ),
    "R21": (
        f"{SAFETY}/test_rules_by_property.py::test_a_configuration_is_read_exactly_if_nobody_else_may_write_it",
        "unit/settings/test_loader.py::test_as_root_a_file_that_others_may_write_is_not_read",
        "unit/settings/test_plugins.py::test_as_root_code_that_others_may_write_is_not_loaded",
        f"{WHOLE}/test_control_socket.py::test_the_state_is_for_the_engines_account_alone",
        f"{ADAPTERS}/test_linux_control.py::test_root_runs_only_what_root_alone_may_change",
    ),
    "R22": (
        f"{ADAPTERS}/test_control_socket.py::test_whatever_is_sent_it_goes_on_answering",
        f"{ADAPTERS}/test_control_socket.py::test_a_person_behind_sudo_is_named_by_the_login",
        f"{WHOLE}/test_control_socket.py::test_two_groups_decide_who_looks_and_who_acts",
    ),
    "R23": (
        f"{SAFETY}/test_changes_by_property.py::test_whatever_the_engine_was_started_with_a_child_knows_nothing_of_it",
        f"{ADAPTERS}/test_linux_control.py::test_a_child_starts_clean",
        f"{ADAPTERS}/test_linux_control.py::test_a_command_that_takes_too_long_is_ended_with_its_whole_group",
    ),
    "R24": (
        f"{SAFETY}/test_rules_by_property.py::test_whoever_else_has_the_host_is_waited_for_whoever_else_does_not",
        f"{GUARDS}/test_guard_ownership.py::test_whoever_works_on_the_host_is_waited_for",
        f"{GUARDS}/test_guard_ownership.py::test_a_containers_process_is_not_ours",
        f"{GUARDS}/test_guard_ownership.py::test_a_host_that_just_booted_is_left_alone_for_a_while",
        f"{GUARDS}/test_guard_ownership.py::test_a_machine_that_is_drained_or_about_to_end_is_left_alone",
        f"{ADAPTERS}/test_linux_view_parts.py::test_a_scheduled_shutdown_and_a_mark_say_that_the_host_is_leaving",
    ),
    "R25": (
        f"{SAFETY}/test_rules_by_property.py::test_what_keeps_something_is_restarted_only_where_it_is_named_to_the_letter",
        f"{GUARDS}/test_guard_stateful.py::test_databases_brokers_and_storage_are_refused",
        f"{GUARDS}/test_guard_stateful.py::test_an_allowed_one_that_still_recovers_is_waited_for",
    ),
    "R26": (
        f"{GUARDS}/test_guard_approval.py::test_what_needs_a_person_stays_so_until_the_hosts_own_file_says_auto",
        f"{GUARDS}/test_guard_approval.py::test_a_plan_that_asks_is_held_whatever_the_allow_list_says",
        "unit/packages/test_policy.py::test_nothing_major_held_lost_or_for_good_is_ever_done_unasked",
    ),
    "R27": (
        f"{SAFETY}/test_changes_by_property.py::test_what_is_restored_has_what_is_listed_and_nothing_below_it_changes",
        f"{SAFETY}/test_changes_by_property.py::test_owner_and_mode_are_those_that_are_listed_whoever_had_it",
        f"{WHOLE}/test_repairs_paths.py::test_setuid_and_world_writable_are_given_only_where_exactly_that_is_listed",
        f"{ADAPTERS}/test_safe_files.py::test_owner_comes_before_a_wider_mode",
        f"{ACTIONS}/test_path_actions.py::test_nothing_below_a_directory_changes",
    ),
    "R28": (
        RANDOM_LIFE,
        f"{GUARDS}/test_guard_stopped_by_person.py::test_what_a_person_stopped_is_not_started",
        f"{GUARDS}/test_guard_ownership.py::test_nothing_acts_while_systemd_comes_up_or_goes_down",
    ),
    "R29": (
        f"{SAFETY}/test_acting_by_property.py::test_data_is_read_by_nobody_or_by_its_owner_and_never_by_root",
        "unit/settings/test_loader.py::test_as_root_a_command_says_who_runs_it",
        f"{ADAPTERS}/test_linux_control.py::test_root_says_as_whom_a_service_runs",
        f"{ADAPTERS}/test_linux_control.py::test_an_account_gets_its_groups_and_nothing_of_root",
        "unit/agents/test_dependency_manager.py::test_as_root_an_environment_that_is_to_be_upgraded_says_as_whom_it_is_tried",
        "unit/workers/test_data_check.py::test_what_others_may_read_is_read_as_nobody_and_what_is_the_owners_as_the_owner",
        "unit/workers/test_data_check.py::test_duckdb_opens_nothing_else_and_cannot_be_told_otherwise",
    ),
    "R30": (f"{SAFETY}/test_acting_by_property.py::test_only_as_many_different_people_as_are_needed_let_it_be_done",
        f"{GUARDS}/test_guard_approval.py::test_one_person_is_not_two",),
    "R31": (
        f"{SAFETY}/test_changes_by_property.py::test_an_undo_gives_back_what_was_unless_somebody_changed_it_since_and_never_setuid",
        f"{ACTIONS}/test_path_actions.py::test_mode_and_owner_come_back_and_undo_knows_what_was",
        f"{ENGINE}/test_meanwhile.py::test_a_final_outcome_keeps_what_the_action_said",
        f"{ENGINE}/test_undo.py::test_what_was_changed_since_is_left",
        f"{ENGINE}/test_undo.py::test_setuid_never_comes_back",
        f"{ENGINE}/test_undo.py::test_what_is_there_now_is_never_replaced",
        f"{ADAPTERS}/test_safe_files.py::test_a_damaged_quarantine_gives_nothing_back",
    ),
    "R32": (
        f"{SAFETY}/test_r32_bans.py::test_whatever_is_written_nobody_is_banned_whom_somebody_listed",
        f"{ENGINE}/test_live_rules.py::test_a_line_alone_gets_nobody_banned_and_is_told",
        f"{GUARDS}/test_guard_host_wide.py::test_a_log_line_alone_never_acts",
    ),
    "R33": (
        f"{SAFETY}/test_acting_by_property.py::test_the_emergency_script_ends_only_what_a_record_of_roots_own_names",
        f"{WHOLE}/test_scripts.py::test_as_root_a_record_of_somebody_else_kills_nobody",
        f"{WHOLE}/test_scripts.py::test_as_root_a_pointer_of_somebody_else_leads_nowhere",
        f"{WHOLE}/test_scripts.py::test_as_root_a_flag_in_somebody_elses_directory_is_set_without_following_anything",
    ),
    "R34": (
        f"{ADAPTERS}/test_host_state.py::test_whatever_went_on_since_only_the_newest_state_of_this_machine_is_its_own",
        f"{ADAPTERS}/test_host_state.py::test_a_state_of_another_machine_is_foreign_until_it_is_accepted",
        f"{ADAPTERS}/test_host_state.py::test_a_restored_copy_is_foreign",
        f"{ADAPTERS}/test_host_state.py::test_a_store_that_was_there_and_is_new_is_foreign",
    ),
    "R35": (
        f"{SAFETY}/test_changes_by_property.py::test_a_directory_is_made_component_by_component_and_never_where_a_mount_belongs",
        f"{ACTIONS}/test_path_actions.py::test_below_a_mount_that_is_missing_nothing_is_made",
    ),
    "R36": (
        f"{SAFETY}/test_changes_by_property.py::test_what_changes_many_things_asks_for_the_stop_before_each",
        f"{ADAPTERS}/test_linux_control.py::test_nothing_runs_before_the_intent_is_durable",
        f"{ADAPTERS}/test_linux_control.py::test_the_child_itself_looks_at_the_stop_last_of_all",
        f"{ADAPTERS}/test_systemd_jobs.py::test_nothing_is_asked_before_the_intent_is_durable",
        f"{ADAPTERS}/test_systemd_jobs.py::test_a_stop_between_intent_and_call_is_seen",
        f"{ACTIONS}/test_file_actions.py::test_the_emergency_stop_ends_it_between_two_files",
    ),
}  # fmt: skip

#: Rule -> what of it this version does not touch, and why. A rule that stands only here has no test at all.
NOT_YET: dict[str, str] = {
    "R12": "splay, canary and halt are about many hosts; this version knows one",
    "R24": "whoever drains a node or hears a termination notice leaves the mark; the engine asks neither cluster nor cloud",
    "R30": "there are no links: who shows a signed token has to be an approver; pages to log in to come later",
    "R31": "an undo that widens access is asked for by a person, whom it warns first; nobody else is asked",
}
