// Generated from supabase/migrations by scripts/generate/types.ts. Do not edit.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
    Tables: {
      activity_feed: {
        Row: {
          activity_type: string;
          actor_id: string | null;
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          details: Json;
          entity_id: string | null;
          entity_type: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by: string | null;
          revision: number;
          task_id: string | null;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          activity_type: string;
          actor_id?: string | null;
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          details?: Json;
          entity_id?: string | null;
          entity_type?: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by?: string | null;
          revision: number;
          task_id?: string | null;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          activity_type?: string;
          actor_id?: string | null;
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          details?: Json;
          entity_id?: string | null;
          entity_type?: string | null;
          field_revisions?: Json;
          id?: string;
          last_modified_by?: string | null;
          revision?: number;
          task_id?: string | null;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'activity_feed_task_id_fkey';
            columns: ['workspace_id', 'task_id'];
            isOneToOne: false;
            referencedRelation: 'tasks';
            referencedColumns: ['workspace_id', 'id'];
          },
        ];
      };
      best_practices: {
        Row: {
          category: string;
          content: Json;
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          description: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by: string | null;
          name: string;
          project_id: string | null;
          revision: number;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          category?: string;
          content?: Json;
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by?: string | null;
          name: string;
          project_id?: string | null;
          revision: number;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          category?: string;
          content?: Json;
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions?: Json;
          id?: string;
          last_modified_by?: string | null;
          name?: string;
          project_id?: string | null;
          revision?: number;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'best_practices_project_id_fkey';
            columns: ['workspace_id', 'project_id'];
            isOneToOne: false;
            referencedRelation: 'projects';
            referencedColumns: ['workspace_id', 'id'];
          },
        ];
      };
      deletions: {
        Row: {
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          entity_id: string;
          entity_type: string;
          field_revisions: Json;
          id: string;
          last_modified_by: string | null;
          name: string;
          parts: number;
          restored_at: string | null;
          revision: number;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          entity_id: string;
          entity_type: string;
          field_revisions: Json;
          id: string;
          last_modified_by?: string | null;
          name: string;
          parts: number;
          restored_at?: string | null;
          revision: number;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          entity_id?: string;
          entity_type?: string;
          field_revisions?: Json;
          id?: string;
          last_modified_by?: string | null;
          name?: string;
          parts?: number;
          restored_at?: string | null;
          revision?: number;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [];
      };
      invitations: {
        Row: {
          accepted_at: string | null;
          accepted_by: string | null;
          created_at: string;
          email: string | null;
          expires_at: string;
          id: string;
          invited_by: string;
          role: string;
          workspace_id: string;
        };
        Insert: {
          accepted_at?: string | null;
          accepted_by?: string | null;
          created_at?: string;
          email?: string | null;
          expires_at?: string;
          id?: string;
          invited_by: string;
          role: string;
          workspace_id: string;
        };
        Update: {
          accepted_at?: string | null;
          accepted_by?: string | null;
          created_at?: string;
          email?: string | null;
          expires_at?: string;
          id?: string;
          invited_by?: string;
          role?: string;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'invitations_invited_by_fkey';
            columns: ['invited_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'invitations_workspace_id_fkey';
            columns: ['workspace_id'];
            isOneToOne: false;
            referencedRelation: 'workspaces';
            referencedColumns: ['id'];
          },
        ];
      };
      milestones: {
        Row: {
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          description: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by: string | null;
          name: string;
          project_id: string;
          requirements: string | null;
          revision: number;
          status: string;
          target_date: string | null;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by?: string | null;
          name: string;
          project_id: string;
          requirements?: string | null;
          revision: number;
          status?: string;
          target_date?: string | null;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions?: Json;
          id?: string;
          last_modified_by?: string | null;
          name?: string;
          project_id?: string;
          requirements?: string | null;
          revision?: number;
          status?: string;
          target_date?: string | null;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'milestones_project_id_fkey';
            columns: ['workspace_id', 'project_id'];
            isOneToOne: false;
            referencedRelation: 'projects';
            referencedColumns: ['workspace_id', 'id'];
          },
        ];
      };
      patterns: {
        Row: {
          content: Json;
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          description: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by: string | null;
          name: string;
          pattern_type: string;
          project_id: string | null;
          revision: number;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          content?: Json;
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by?: string | null;
          name: string;
          pattern_type?: string;
          project_id?: string | null;
          revision: number;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          content?: Json;
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions?: Json;
          id?: string;
          last_modified_by?: string | null;
          name?: string;
          pattern_type?: string;
          project_id?: string | null;
          revision?: number;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'patterns_project_id_fkey';
            columns: ['workspace_id', 'project_id'];
            isOneToOne: false;
            referencedRelation: 'projects';
            referencedColumns: ['workspace_id', 'id'];
          },
        ];
      };
      profiles: {
        Row: {
          created_at: string;
          display_name: string;
          id: string;
          kind: string;
          updated_at: string;
        };
        Insert: {
          created_at?: string;
          display_name?: string;
          id: string;
          kind?: string;
          updated_at?: string;
        };
        Update: {
          created_at?: string;
          display_name?: string;
          id?: string;
          kind?: string;
          updated_at?: string;
        };
        Relationships: [];
      };
      projects: {
        Row: {
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          description: string | null;
          field_revisions: Json;
          id: string;
          key: string | null;
          last_modified_by: string | null;
          name: string;
          overview: string | null;
          revision: number;
          status: string;
          tech_stack: Json;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions: Json;
          id: string;
          key?: string | null;
          last_modified_by?: string | null;
          name: string;
          overview?: string | null;
          revision: number;
          status?: string;
          tech_stack?: Json;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions?: Json;
          id?: string;
          key?: string | null;
          last_modified_by?: string | null;
          name?: string;
          overview?: string | null;
          revision?: number;
          status?: string;
          tech_stack?: Json;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [];
      };
      task_dependencies: {
        Row: {
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          depends_on_task_id: string;
          field_revisions: Json;
          id: string;
          last_modified_by: string | null;
          revision: number;
          task_id: string;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          depends_on_task_id: string;
          field_revisions: Json;
          id: string;
          last_modified_by?: string | null;
          revision: number;
          task_id: string;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          depends_on_task_id?: string;
          field_revisions?: Json;
          id?: string;
          last_modified_by?: string | null;
          revision?: number;
          task_id?: string;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'task_dependencies_depends_on_task_id_fkey';
            columns: ['workspace_id', 'depends_on_task_id'];
            isOneToOne: false;
            referencedRelation: 'tasks';
            referencedColumns: ['workspace_id', 'id'];
          },
          {
            foreignKeyName: 'task_dependencies_task_id_fkey';
            columns: ['workspace_id', 'task_id'];
            isOneToOne: false;
            referencedRelation: 'tasks';
            referencedColumns: ['workspace_id', 'id'];
          },
        ];
      };
      tasks: {
        Row: {
          assignee_id: string | null;
          claim_id: string | null;
          claimed_by: string | null;
          claimed_until: string | null;
          completion_date: string | null;
          created_at: string;
          current_stage: string;
          deleted_at: string | null;
          deletion_id: string | null;
          description: string | null;
          field_revisions: Json;
          id: string;
          key: string | null;
          last_modified_by: string | null;
          milestone_id: string;
          parent_task_id: string | null;
          priority: string;
          revision: number;
          sort_order: number;
          status: string;
          title: string;
          updated_at: string;
          workflow_id: string | null;
          workspace_id: string;
        };
        Insert: {
          assignee_id?: string | null;
          claim_id?: string | null;
          claimed_by?: string | null;
          claimed_until?: string | null;
          completion_date?: string | null;
          created_at: string;
          current_stage?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions: Json;
          id: string;
          key?: string | null;
          last_modified_by?: string | null;
          milestone_id: string;
          parent_task_id?: string | null;
          priority?: string;
          revision: number;
          sort_order?: number;
          status?: string;
          title: string;
          updated_at: string;
          workflow_id?: string | null;
          workspace_id: string;
        };
        Update: {
          assignee_id?: string | null;
          claim_id?: string | null;
          claimed_by?: string | null;
          claimed_until?: string | null;
          completion_date?: string | null;
          created_at?: string;
          current_stage?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions?: Json;
          id?: string;
          key?: string | null;
          last_modified_by?: string | null;
          milestone_id?: string;
          parent_task_id?: string | null;
          priority?: string;
          revision?: number;
          sort_order?: number;
          status?: string;
          title?: string;
          updated_at?: string;
          workflow_id?: string | null;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'tasks_milestone_id_fkey';
            columns: ['workspace_id', 'milestone_id'];
            isOneToOne: false;
            referencedRelation: 'milestones';
            referencedColumns: ['workspace_id', 'id'];
          },
          {
            foreignKeyName: 'tasks_parent_task_id_fkey';
            columns: ['workspace_id', 'parent_task_id'];
            isOneToOne: false;
            referencedRelation: 'tasks';
            referencedColumns: ['workspace_id', 'id'];
          },
          {
            foreignKeyName: 'tasks_workflow_id_fkey';
            columns: ['workflow_id'];
            isOneToOne: false;
            referencedRelation: 'workflows';
            referencedColumns: ['id'];
          },
        ];
      };
      workflows: {
        Row: {
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          description: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by: string | null;
          name: string;
          revision: number;
          stages: Json;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by?: string | null;
          name: string;
          revision: number;
          stages: Json;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions?: Json;
          id?: string;
          last_modified_by?: string | null;
          name?: string;
          revision?: number;
          stages?: Json;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [];
      };
      workspace_members: {
        Row: {
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          display_name: string;
          field_revisions: Json;
          id: string;
          kind: string;
          last_modified_by: string | null;
          made_by: string | null;
          paused_at: string | null;
          revision: number;
          role: string;
          updated_at: string;
          user_id: string;
          workspace_id: string;
        };
        Insert: {
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          display_name?: string;
          field_revisions: Json;
          id: string;
          kind?: string;
          last_modified_by?: string | null;
          made_by?: string | null;
          paused_at?: string | null;
          revision: number;
          role: string;
          updated_at: string;
          user_id: string;
          workspace_id: string;
        };
        Update: {
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          display_name?: string;
          field_revisions?: Json;
          id?: string;
          kind?: string;
          last_modified_by?: string | null;
          made_by?: string | null;
          paused_at?: string | null;
          revision?: number;
          role?: string;
          updated_at?: string;
          user_id?: string;
          workspace_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'workspace_members_user_id_fkey';
            columns: ['user_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      workspaces: {
        Row: {
          created_at: string;
          deleted_at: string | null;
          deletion_id: string | null;
          description: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by: string | null;
          name: string;
          revision: number;
          updated_at: string;
          workspace_id: string;
        };
        Insert: {
          created_at: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions: Json;
          id: string;
          last_modified_by?: string | null;
          name: string;
          revision: number;
          updated_at: string;
          workspace_id: string;
        };
        Update: {
          created_at?: string;
          deleted_at?: string | null;
          deletion_id?: string | null;
          description?: string | null;
          field_revisions?: Json;
          id?: string;
          last_modified_by?: string | null;
          name?: string;
          revision?: number;
          updated_at?: string;
          workspace_id?: string;
        };
        Relationships: [];
      };
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      accept_invitation: {
        Args: {
          invitation_id: string;
          accepted_as?: string;
        };
        Returns: Json;
      };
      as_entity: {
        Args: {
          record: Json;
        };
        Returns: Json;
      };
      claim_task: {
        Args: {
          request: Json;
        };
        Returns: Json;
      };
      create_agent: {
        Args: {
          workspace_id: string;
          name: string;
        };
        Returns: Json;
      };
      decline_invitation: {
        Args: {
          invitation_id: string;
        };
        Returns: Json;
      };
      find_tasks: {
        Args: {
          key?: string;
          id_ends?: string[];
          task_id?: string;
          of_workspace?: string;
        };
        Returns: Json;
      };
      get_best_practices: {
        Args: {
          workspace_id?: string;
          project_id?: string;
        };
        Returns: Json;
      };
      get_bounded_context: {
        Args: {
          task_id: string;
          limits: Json;
        };
        Returns: Json;
      };
      get_context_part: {
        Args: {
          part: string;
          task_id: string;
          scope: string;
          project_id: string;
          items: number;
          bytes: number;
          room: number;
        };
        Returns: Json;
      };
      get_deletion: {
        Args: {
          deletion_id: string;
        };
        Returns: Json;
      };
      get_deletions: {
        Args: {
          workspace_id: string;
        };
        Returns: Json;
      };
      get_former_members: {
        Args: {
          workspace_id: string;
        };
        Returns: Json;
      };
      get_inbox: {
        Args: Record<PropertyKey, never>;
        Returns: Json;
      };
      get_invitation: {
        Args: {
          invitation_id: string;
        };
        Returns: Json;
      };
      get_invitations: {
        Args: {
          workspace_id: string;
        };
        Returns: Json;
      };
      get_members: {
        Args: {
          workspace_id: string;
        };
        Returns: Json;
      };
      get_milestones: {
        Args: {
          project_id: string;
        };
        Returns: Json;
      };
      get_next_task: {
        Args: {
          request: Json;
        };
        Returns: Json;
      };
      get_patterns: {
        Args: {
          workspace_id?: string;
          project_id?: string;
        };
        Returns: Json;
      };
      get_projects: {
        Args: {
          workspace_id: string;
        };
        Returns: Json;
      };
      get_readiness: {
        Args: {
          task_id: string;
        };
        Returns: Json;
      };
      get_record: {
        Args: {
          table_name: string;
          record_id: string;
        };
        Returns: Json;
      };
      get_task_activities: {
        Args: {
          task_id: string;
          most: number;
        };
        Returns: Json;
      };
      get_task_context: {
        Args: {
          task_id: string;
        };
        Returns: Json;
      };
      get_task_dependency: {
        Args: {
          task_id: string;
          depends_on_task_id: string;
        };
        Returns: Json;
      };
      get_task_entries: {
        Args: {
          task_id: string;
          types: string[];
        };
        Returns: Json;
      };
      get_tasks: {
        Args: {
          milestone_id: string;
        };
        Returns: Json;
      };
      get_workflow: {
        Args: {
          workflow_id: string;
        };
        Returns: Json;
      };
      get_workflows: {
        Args: Record<PropertyKey, never>;
        Returns: Json;
      };
      get_workspaces: {
        Args: Record<PropertyKey, never>;
        Returns: Json;
      };
      invite_member: {
        Args: {
          workspace_id: string;
          email: string;
          role: string;
        };
        Returns: Json;
      };
      my_invitations: {
        Args: Record<PropertyKey, never>;
        Returns: Json;
      };
      pause_agent: {
        Args: {
          member_id: string;
          paused: boolean;
        };
        Returns: Json;
      };
      release_claim: {
        Args: {
          request: Json;
        };
        Returns: Json;
      };
      renew_claim: {
        Args: {
          request: Json;
        };
        Returns: Json;
      };
      revoke_agent: {
        Args: {
          member_id: string;
        };
        Returns: Json;
      };
      revoke_invitation: {
        Args: {
          invitation_id: string;
        };
        Returns: Json;
      };
      sync_heads: {
        Args: {
          request: Json;
        };
        Returns: Json;
      };
      sync_pull: {
        Args: {
          request: Json;
        };
        Returns: Json;
      };
      sync_push: {
        Args: {
          request: Json;
        };
        Returns: Json;
      };
      sync_steps: {
        Args: {
          request: Json;
        };
        Returns: Json;
      };
      text_bytes: {
        Args: {
          entity: Json;
        };
        Returns: number;
      };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};
